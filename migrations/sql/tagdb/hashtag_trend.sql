-- The trend with the periods in which nothing happened, for charts that want a point for each.
CREATE OR REPLACE FUNCTION tagdb.hashtag_trend(
    hashtags text[] DEFAULT NULL, period text DEFAULT 'week', since date DEFAULT NULL, until date DEFAULT NULL
)
RETURNS TABLE (hashtag text, starts_on date, images bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 500 COST 20000 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    wanted integer[];
    first date := hashtag_trend.since;
    last date := hashtag_trend.until;
BEGIN
    IF hashtag_trend.period IS NULL OR hashtag_trend.period NOT IN ('day', 'week', 'month') THEN
        PERFORM tagdb_store.refuse('period must be day, week or month');
    END IF;
    IF hashtag_trend.hashtags IS NULL THEN
        SELECT array_agg(n.hashtag_id) INTO wanted
        FROM (SELECT c.hashtag_id FROM tagdb_store.hashtag_counts c
              ORDER BY c.images DESC, c.hashtag_id LIMIT 10) n;
    ELSE
        wanted := tagdb_store.counting_as(hashtag_trend.hashtags);
    END IF;
    first := coalesce(first, (SELECT min(x.starts_on) FROM tagdb_store.hashtag_trend x
                              WHERE x.period = hashtag_trend.period));
    last := coalesce(last, (SELECT max(x.starts_on) FROM tagdb_store.hashtag_trend x
                            WHERE x.period = hashtag_trend.period));
    IF first < '0001-01-01' OR last > '9999-12-31' OR last - first > 100000 THEN
        PERFORM tagdb_store.refuse('since and until must be at most 100000 days apart, in the years 1 to 9999');
    END IF;
    RETURN QUERY
    SELECT h.hashtag, d.day::date, coalesce(t.images, 0)
    FROM generate_series(date_trunc(hashtag_trend.period, first::timestamp), last::timestamp,
                         ('1 ' || hashtag_trend.period)::interval) AS d (day)
    CROSS JOIN tagdb_store.hashtags h
    LEFT JOIN (SELECT * FROM tagdb_store.hashtag_trend x
               WHERE x.hashtag_id = ANY (wanted) AND x.period = hashtag_trend.period) t
           ON t.hashtag_id = h.hashtag_id AND t.starts_on = d.day::date
    WHERE h.hashtag_id = ANY (wanted)
    ORDER BY d.day, h.hashtag;
END
$$;
COMMENT ON FUNCTION tagdb.hashtag_trend IS
    'Images per hashtag and day, week or month, with 0 where a hashtag was not used: of the hashtags named, otherwise of '
    'the ten most used, from the first period of the trend to the last, or those that since and until lie in.';
