-- Brings the statistics up to date by counting what came, went or changed since they were: what an image counted for is
-- taken from them, and what it counts for now is added. The result is that of refresh_statistics, at a cost that grows
-- with the images that have changed. Only a hashtag's spelling may be older: it is counted again when a tenth of the
-- hashtag's images have changed.
CREATE OR REPLACE FUNCTION tagdb_store.count_changed_images()
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET work_mem = '64MB'
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    started timestamptz := clock_timestamp();
    pairs_from integer;
    noted bigint[];
    respelt integer[];
BEGIN
    -- One refresh at a time; the statements below see what another one has just written.
    SELECT s.min_images INTO pairs_from FROM tagdb_store.statistics s FOR UPDATE;
    -- What is noted from here on is counted the next time, even if the statement after this one sees it already.
    WITH taken AS (DELETE FROM tagdb_store.changed_images c RETURNING c.image_id)
    SELECT array_agg(DISTINCT t.image_id) INTO noted FROM taken t;
    IF noted IS NULL THEN
        RETURN;
    ELSIF cardinality(noted) > (SELECT greatest(200, 0.06 * s.images) FROM tagdb_store.statistics s) THEN
        PERFORM tagdb_store.refresh_statistics(); -- faster from here on
        RETURN;
    END IF;

    -- What these images counted for, with sign -1, and what they count for now, with sign 1, where that differs.
    CREATE TEMPORARY TABLE tagdb_moved ON COMMIT DROP AS
    WITH old AS (
        SELECT o.image_id, o.collection, o.seen_at, o.hashtag_ids
        FROM tagdb_store.counted_images o
        WHERE o.image_id = ANY (noted)
    ), new AS (
        SELECT i.image_id, i.collection, coalesce(i.taken_at, i.ingested_at), coalesce(c.hashtag_ids, '{}')
        FROM tagdb_store.images i
        LEFT JOIN (SELECT h.image_id, array_agg(h.hashtag_id ORDER BY h.hashtag_id) AS hashtag_ids
                   FROM tagdb_store.counted_hashtags h
                   WHERE h.image_id = ANY (noted)
                   GROUP BY h.image_id) c ON c.image_id = i.image_id
        WHERE i.image_id = ANY (noted)
    )
    SELECT -1 AS sign, gone.* FROM (SELECT * FROM old EXCEPT SELECT * FROM new) gone
    UNION ALL
    SELECT 1, come.* FROM (SELECT * FROM new EXCEPT SELECT * FROM old) come;
    ANALYZE pg_temp.tagdb_moved;

    DELETE FROM tagdb_store.counted_images c
    USING pg_temp.tagdb_moved m
    WHERE m.sign < 0 AND c.image_id = m.image_id;
    INSERT INTO tagdb_store.counted_images (image_id, collection, seen_at, hashtag_ids)
    SELECT m.image_id, m.collection, m.seen_at, m.hashtag_ids FROM pg_temp.tagdb_moved m WHERE m.sign > 0;
    -- Without this, each look-up below would read all of the index's new entries.
    PERFORM gin_clean_pending_list('tagdb_store.counted_images_hashtag_ids');

    MERGE INTO tagdb_store.hashtag_counts n
    USING (
        SELECT h.hashtag_id, sum(m.sign) AS images, sum(m.sign * (cardinality(m.hashtag_ids) - 1)) AS beside,
               min(m.seen_at) FILTER (WHERE m.sign > 0) AS first_seen,
               max(m.seen_at) FILTER (WHERE m.sign > 0) AS last_seen,
               count(*) AS changed
        FROM pg_temp.tagdb_moved m
        CROSS JOIN LATERAL unnest(m.hashtag_ids) AS h (hashtag_id)
        GROUP BY h.hashtag_id
    ) d ON n.hashtag_id = d.hashtag_id
    WHEN MATCHED AND n.images + d.images = 0 THEN DELETE
    WHEN MATCHED THEN UPDATE
        SET images = n.images + d.images, beside = n.beside + d.beside, changed = n.changed + d.changed,
            first_seen = least(n.first_seen, d.first_seen), last_seen = greatest(n.last_seen, d.last_seen)
    WHEN NOT MATCHED AND d.images > 0 THEN
        INSERT (hashtag_id, images, first_seen, last_seen, beside, changed)
        VALUES (d.hashtag_id, d.images, d.first_seen, d.last_seen, d.beside, d.changed);

    -- Where the first or the last image of a hashtag went, look for the one that is now.
    UPDATE tagdb_store.hashtag_counts n
    SET first_seen = e.first_seen, last_seen = e.last_seen
    FROM (
        SELECT w.hashtag_id, min(c.seen_at) AS first_seen, max(c.seen_at) AS last_seen
        FROM (
            SELECT DISTINCT k.hashtag_id
            FROM (SELECT h.hashtag_id, m.seen_at
                  FROM pg_temp.tagdb_moved m
                  CROSS JOIN LATERAL unnest(m.hashtag_ids) AS h (hashtag_id)
                  GROUP BY h.hashtag_id, m.seen_at
                  HAVING sum(m.sign) < 0) g
            JOIN tagdb_store.hashtag_counts k ON k.hashtag_id = g.hashtag_id
            WHERE g.seen_at <= k.first_seen OR g.seen_at >= k.last_seen
        ) w
        JOIN tagdb_store.counted_images c ON c.hashtag_ids @> ARRAY[w.hashtag_id]
        GROUP BY w.hashtag_id
    ) e
    WHERE n.hashtag_id = e.hashtag_id
      AND (n.first_seen, n.last_seen) IS DISTINCT FROM (e.first_seen, e.last_seen);

    MERGE INTO tagdb_store.hashtag_collections t
    USING (
        SELECT h.hashtag_id, m.collection, sum(m.sign) AS images
        FROM pg_temp.tagdb_moved m
        CROSS JOIN LATERAL unnest(m.hashtag_ids) AS h (hashtag_id)
        WHERE m.collection IS NOT NULL
        GROUP BY h.hashtag_id, m.collection
        HAVING sum(m.sign) <> 0
    ) d ON t.hashtag_id = d.hashtag_id AND t.collection = d.collection
    WHEN MATCHED AND t.images + d.images = 0 THEN DELETE
    WHEN MATCHED THEN UPDATE SET images = t.images + d.images
    WHEN NOT MATCHED THEN
        INSERT (hashtag_id, collection, images) VALUES (d.hashtag_id, d.collection, d.images);

    -- In UTC, so that everybody sees the same days.
    MERGE INTO tagdb_store.hashtag_trend t
    USING (
        SELECT h.hashtag_id, p.period, date_trunc(p.period, m.seen_at AT TIME ZONE 'UTC')::date AS starts_on,
               sum(m.sign) AS images
        FROM pg_temp.tagdb_moved m
        CROSS JOIN LATERAL unnest(m.hashtag_ids) AS h (hashtag_id)
        CROSS JOIN (VALUES ('day'), ('week'), ('month')) AS p (period)
        GROUP BY 1, 2, 3
        HAVING sum(m.sign) <> 0
    ) d ON t.hashtag_id = d.hashtag_id AND t.period = d.period AND t.starts_on = d.starts_on
    WHEN MATCHED AND t.images + d.images = 0 THEN DELETE
    WHEN MATCHED THEN UPDATE SET images = t.images + d.images
    WHEN NOT MATCHED THEN
        INSERT (hashtag_id, period, starts_on, images) VALUES (d.hashtag_id, d.period, d.starts_on, d.images);

    -- A hashtag of an image has sign 1 if it came, -1 if it went and 0 if it stayed. A pair comes or goes with either of
    -- its hashtags; one that comes was never together with one that goes. Pairs below the minimum are not stored, so
    -- those that come to one are counted anew, each by the index of its two hashtags: half the time of reading the
    -- images of the rarer one.
    WITH moved AS MATERIALIZED (
        SELECT m.image_id, h.hashtag_id, sum(m.sign)::integer AS sign
        FROM pg_temp.tagdb_moved m
        CROSS JOIN LATERAL unnest(m.hashtag_ids) AS h (hashtag_id)
        GROUP BY m.image_id, h.hashtag_id
    ), delta AS MATERIALIZED (
        SELECT least(a.hashtag_id, b.hashtag_id) AS hashtag_id, greatest(a.hashtag_id, b.hashtag_id) AS other_id,
               sum(a.sign) AS images
        FROM moved a
        JOIN moved b ON b.image_id = a.image_id
                     AND (b.sign = 0 OR (b.sign = a.sign AND b.hashtag_id > a.hashtag_id))
        WHERE a.sign <> 0
        GROUP BY 1, 2
        HAVING sum(a.sign) <> 0
    ), fresh AS MATERIALIZED (
        SELECT d.hashtag_id, d.other_id, CASE
                   WHEN t.images IS NOT NULL THEN t.images + d.images
                   WHEN d.images > 0 AND a.images >= pairs_from AND b.images >= pairs_from THEN (
                       SELECT count(*) FROM tagdb_store.counted_images i
                       WHERE i.hashtag_ids @> ARRAY[d.hashtag_id, d.other_id])
               END AS images
        FROM delta d
        LEFT JOIN tagdb_store.hashtag_pairs t ON t.hashtag_id = d.hashtag_id AND t.other_id = d.other_id
        LEFT JOIN tagdb_store.hashtag_counts a ON a.hashtag_id = d.hashtag_id
        LEFT JOIN tagdb_store.hashtag_counts b ON b.hashtag_id = d.other_id
    )
    MERGE INTO tagdb_store.hashtag_pairs t
    USING fresh f ON t.hashtag_id = f.hashtag_id AND t.other_id = f.other_id
    WHEN MATCHED AND f.images < pairs_from THEN DELETE
    WHEN MATCHED THEN UPDATE SET images = f.images
    WHEN NOT MATCHED AND f.images >= pairs_from THEN
        INSERT (hashtag_id, other_id, images) VALUES (f.hashtag_id, f.other_id, f.images);

    WITH due AS (
        UPDATE tagdb_store.hashtag_counts n
        SET changed = 0
        FROM (SELECT DISTINCT h.hashtag_id FROM pg_temp.tagdb_moved m
              CROSS JOIN LATERAL unnest(m.hashtag_ids) AS h (hashtag_id)) d
        WHERE n.hashtag_id = d.hashtag_id AND 10 * n.changed >= n.images
        RETURNING n.hashtag_id
    )
    SELECT array_agg(c.hashtag_id) INTO respelt
    FROM (SELECT d.hashtag_id FROM due d
          UNION ALL
          SELECT a.hashtag_id FROM tagdb_store.hashtags a
          WHERE a.alias_of IN (SELECT d.hashtag_id FROM due d)) c;
    PERFORM tagdb_store.refresh_spellings(coalesce(respelt, '{}'));

    UPDATE tagdb_store.statistics s
    SET refreshed_at = started, images = s.images + (SELECT coalesce(sum(m.sign), 0) FROM pg_temp.tagdb_moved m),
        seconds = extract(epoch FROM clock_timestamp() - started);
    DROP TABLE pg_temp.tagdb_moved;
END
$$;
