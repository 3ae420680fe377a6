-- Refreshes the statistics of all hashtags, or of those affected by an edit. Only rows that differ are
-- written, so readers are not blocked and tables do not bloat. Pairs need at least min_images images; NULL
-- keeps the last value.
--
-- Everything is computed from one snapshot of the images' hashtags, so that an ingest that ends in the
-- meantime is in all of the statistics or in none. Plans are made for the call's arguments: with
-- `of_hashtags` NULL, its conditions vanish. New and obsolete rows are found by EXCEPT, which hashes; an
-- anti-join would be a nested loop, because PostgreSQL does not know how many rows a statement will return.
CREATE OR REPLACE FUNCTION tagdb_store.refresh_statistics(
    min_images integer DEFAULT NULL, of_hashtags integer[] DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET work_mem = '128MB'
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    started timestamptz := clock_timestamp();
    pairs_from integer;
BEGIN
    PERFORM tagdb_store.at_least_one('min_images', refresh_statistics.min_images);
    -- One refresh at a time; the statements below see what another one has just written.
    SELECT coalesce(refresh_statistics.min_images, s.min_images) INTO pairs_from
    FROM tagdb_store.statistics s FOR UPDATE;

    -- The hashtags that count for each image, and a row for an image without any. For some hashtags: all
    -- that are on their images.
    CREATE TEMPORARY TABLE tagdb_counted ON COMMIT DROP AS
    SELECT i.image_id, i.collection, coalesce(i.taken_at, i.ingested_at) AS seen_at, c.hashtag_id
    FROM tagdb_store.images i
    LEFT JOIN tagdb_store.counted_hashtags c ON c.image_id = i.image_id
    WHERE of_hashtags IS NULL
       OR i.image_id IN (SELECT b.image_id FROM tagdb_store.counted_hashtags b
                         WHERE b.hashtag_id = ANY (of_hashtags));
    ANALYZE pg_temp.tagdb_counted;

    WITH fresh AS MATERIALIZED (
        SELECT c.hashtag_id, count(*) AS images, min(c.seen_at) AS first_seen, max(c.seen_at) AS last_seen,
               avg(k.hashtags - 1)::double precision AS hashtags_beside
        FROM pg_temp.tagdb_counted c
        JOIN (SELECT b.image_id, count(b.hashtag_id) AS hashtags FROM pg_temp.tagdb_counted b
              GROUP BY b.image_id) k ON k.image_id = c.image_id
        WHERE c.hashtag_id IS NOT NULL
          AND (of_hashtags IS NULL OR c.hashtag_id = ANY (of_hashtags))
        GROUP BY c.hashtag_id
    ), old AS MATERIALIZED (
        SELECT o.hashtag_id, o.images, o.first_seen, o.last_seen, o.hashtags_beside
        FROM tagdb_store.hashtag_counts o
        WHERE of_hashtags IS NULL OR o.hashtag_id = ANY (of_hashtags)
    ), gone AS (
        DELETE FROM tagdb_store.hashtag_counts t
        USING (SELECT o.hashtag_id FROM old o
               EXCEPT
               SELECT f.hashtag_id FROM fresh f) g
        WHERE t.hashtag_id = g.hashtag_id
    )
    INSERT INTO tagdb_store.hashtag_counts (hashtag_id, images, first_seen, last_seen, hashtags_beside)
    SELECT f.hashtag_id, f.images, f.first_seen, f.last_seen, f.hashtags_beside FROM fresh f
    EXCEPT
    SELECT o.hashtag_id, o.images, o.first_seen, o.last_seen, o.hashtags_beside FROM old o
    ON CONFLICT (hashtag_id) DO UPDATE
    SET images = excluded.images, first_seen = excluded.first_seen, last_seen = excluded.last_seen,
        hashtags_beside = excluded.hashtags_beside;

    WITH fresh AS MATERIALIZED (
        SELECT c.hashtag_id, c.collection, count(*) AS images
        FROM pg_temp.tagdb_counted c
        WHERE c.hashtag_id IS NOT NULL AND c.collection IS NOT NULL
          AND (of_hashtags IS NULL OR c.hashtag_id = ANY (of_hashtags))
        GROUP BY c.hashtag_id, c.collection
    ), old AS MATERIALIZED (
        SELECT o.hashtag_id, o.collection, o.images
        FROM tagdb_store.hashtag_collections o
        WHERE of_hashtags IS NULL OR o.hashtag_id = ANY (of_hashtags)
    ), gone AS (
        DELETE FROM tagdb_store.hashtag_collections t
        USING (SELECT o.hashtag_id, o.collection FROM old o
               EXCEPT
               SELECT f.hashtag_id, f.collection FROM fresh f) g
        WHERE t.hashtag_id = g.hashtag_id AND t.collection = g.collection
    )
    INSERT INTO tagdb_store.hashtag_collections (hashtag_id, collection, images)
    SELECT f.hashtag_id, f.collection, f.images FROM fresh f
    EXCEPT
    SELECT o.hashtag_id, o.collection, o.images FROM old o
    ON CONFLICT (hashtag_id, collection) DO UPDATE SET images = excluded.images;

    -- In UTC, so that everybody sees the same days.
    WITH fresh AS MATERIALIZED (
        SELECT d.hashtag_id, p.period, date_trunc(p.period, d.day)::date AS starts_on,
               sum(d.images)::bigint AS images
        FROM (
            SELECT c.hashtag_id, count(*) AS images, date_trunc('day', c.seen_at AT TIME ZONE 'UTC') AS day
            FROM pg_temp.tagdb_counted c
            WHERE c.hashtag_id IS NOT NULL
              AND (of_hashtags IS NULL OR c.hashtag_id = ANY (of_hashtags))
            GROUP BY 1, 3
        ) d
        CROSS JOIN (VALUES ('day'), ('week'), ('month')) AS p (period)
        GROUP BY 1, 2, 3
    ), old AS MATERIALIZED (
        SELECT o.hashtag_id, o.period, o.starts_on, o.images
        FROM tagdb_store.hashtag_trend o
        WHERE of_hashtags IS NULL OR o.hashtag_id = ANY (of_hashtags)
    ), gone AS (
        DELETE FROM tagdb_store.hashtag_trend t
        USING (SELECT o.hashtag_id, o.period, o.starts_on FROM old o
               EXCEPT
               SELECT f.hashtag_id, f.period, f.starts_on FROM fresh f) g
        WHERE t.hashtag_id = g.hashtag_id AND t.period = g.period AND t.starts_on = g.starts_on
    )
    INSERT INTO tagdb_store.hashtag_trend (hashtag_id, period, starts_on, images)
    SELECT f.hashtag_id, f.period, f.starts_on, f.images FROM fresh f
    EXCEPT
    SELECT o.hashtag_id, o.period, o.starts_on, o.images FROM old o
    ON CONFLICT (hashtag_id, period, starts_on) DO UPDATE SET images = excluded.images;

    -- Each pair of an image once: by ascending id, or, for some hashtags, from the given one.
    -- For all hashtags, those too rare to reach the minimum are skipped.
    -- Most pairs are rare, so a hash table of them would outgrow memory. They are sorted, as one number
    -- each, in less than half the time. Never hash that number: PostgreSQL's hash of a bigint is its halves'
    -- exclusive or, which is the same for very many pairs of small numbers.
    WITH frequent AS MATERIALIZED (
        SELECT c.image_id, c.hashtag_id
        FROM pg_temp.tagdb_counted c
        WHERE c.hashtag_id IS NOT NULL
          AND (of_hashtags IS NOT NULL
               OR c.hashtag_id IN (SELECT n.hashtag_id FROM tagdb_store.hashtag_counts n
                                   WHERE n.images >= pairs_from))
    ), fresh AS MATERIALIZED (
        SELECT (p.pair >> 32)::integer AS hashtag_id, (p.pair & 4294967295)::integer AS other_id,
               count(*) AS images
        FROM (
            SELECT least(a.hashtag_id, b.hashtag_id)::bigint << 32
                   | greatest(a.hashtag_id, b.hashtag_id) AS pair
            FROM frequent a
            JOIN frequent b ON b.image_id = a.image_id
            WHERE (of_hashtags IS NULL OR a.hashtag_id = ANY (of_hashtags))
              AND (a.hashtag_id < b.hashtag_id
                   OR (a.hashtag_id > b.hashtag_id AND NOT coalesce(b.hashtag_id = ANY (of_hashtags), true)))
            ORDER BY pair
        ) p
        GROUP BY p.pair
        HAVING count(*) >= pairs_from
    ), old AS MATERIALIZED (
        SELECT o.hashtag_id, o.other_id, o.images
        FROM tagdb_store.hashtag_pairs o
        WHERE of_hashtags IS NULL OR o.hashtag_id = ANY (of_hashtags) OR o.other_id = ANY (of_hashtags)
    ), gone AS (
        DELETE FROM tagdb_store.hashtag_pairs t
        USING (SELECT o.hashtag_id, o.other_id FROM old o
               EXCEPT
               SELECT f.hashtag_id, f.other_id FROM fresh f) g
        WHERE t.hashtag_id = g.hashtag_id AND t.other_id = g.other_id
    )
    INSERT INTO tagdb_store.hashtag_pairs (hashtag_id, other_id, images)
    SELECT f.hashtag_id, f.other_id, f.images FROM fresh f
    EXCEPT
    SELECT o.hashtag_id, o.other_id, o.images FROM old o
    ON CONFLICT (hashtag_id, other_id) DO UPDATE SET images = excluded.images;

    IF of_hashtags IS NULL THEN
        PERFORM tagdb_store.refresh_spellings();
        UPDATE tagdb_store.statistics
        SET refreshed_at = started, min_images = pairs_from,
            images = (SELECT count(DISTINCT c.image_id) FROM pg_temp.tagdb_counted c),
            seconds = extract(epoch FROM clock_timestamp() - started);
    END IF;
    DROP TABLE pg_temp.tagdb_counted;
END
$$;
