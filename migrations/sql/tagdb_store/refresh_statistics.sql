-- Computes the statistics of all hashtags anew. Only rows that differ are written, so readers are not blocked and tables
-- do not bloat. Pairs need at least min_images images; NULL keeps the last value. What has changed since is counted by
-- count_changed_images.
--
-- Everything is computed from one snapshot of the images' hashtags, so that an ingest that ends in the
-- meantime is in all of the statistics or in none. New and obsolete rows are found by EXCEPT, which hashes; an
-- anti-join would be a nested loop, because PostgreSQL does not know how many rows a statement will return.
CREATE OR REPLACE FUNCTION tagdb_store.refresh_statistics(min_images integer DEFAULT NULL)
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

    DELETE FROM tagdb_store.changed_images;
    -- The hashtags that count for each image, and a row for an image without any.
    CREATE TEMPORARY TABLE tagdb_counted ON COMMIT DROP AS
    SELECT i.image_id, i.collection, coalesce(i.taken_at, i.ingested_at) AS seen_at, c.hashtag_id
    FROM tagdb_store.images i
    LEFT JOIN tagdb_store.counted_hashtags c ON c.image_id = i.image_id;
    ANALYZE pg_temp.tagdb_counted;

    WITH fresh AS MATERIALIZED (
        SELECT c.image_id, c.collection, c.seen_at,
               coalesce(array_agg(c.hashtag_id ORDER BY c.hashtag_id) FILTER (WHERE c.hashtag_id IS NOT NULL), '{}')
                   AS hashtag_ids
        FROM pg_temp.tagdb_counted c
        GROUP BY c.image_id, c.collection, c.seen_at
    ), old AS MATERIALIZED (
        SELECT o.image_id, o.collection, o.seen_at, o.hashtag_ids FROM tagdb_store.counted_images o
    ), gone AS (
        DELETE FROM tagdb_store.counted_images t
        USING (SELECT o.image_id FROM old o
               EXCEPT
               SELECT f.image_id FROM fresh f) g
        WHERE t.image_id = g.image_id
    )
    INSERT INTO tagdb_store.counted_images (image_id, collection, seen_at, hashtag_ids)
    SELECT f.image_id, f.collection, f.seen_at, f.hashtag_ids FROM fresh f
    EXCEPT
    SELECT o.image_id, o.collection, o.seen_at, o.hashtag_ids FROM old o
    ON CONFLICT (image_id) DO UPDATE
    SET collection = excluded.collection, seen_at = excluded.seen_at, hashtag_ids = excluded.hashtag_ids;

    WITH fresh AS MATERIALIZED (
        SELECT c.hashtag_id, count(*) AS images, min(c.seen_at) AS first_seen, max(c.seen_at) AS last_seen,
               sum(k.hashtags - 1)::bigint AS beside, 0::bigint AS changed
        FROM pg_temp.tagdb_counted c
        JOIN (SELECT b.image_id, count(b.hashtag_id) AS hashtags FROM pg_temp.tagdb_counted b
              GROUP BY b.image_id) k ON k.image_id = c.image_id
        WHERE c.hashtag_id IS NOT NULL
        GROUP BY c.hashtag_id
    ), old AS MATERIALIZED (
        SELECT o.hashtag_id, o.images, o.first_seen, o.last_seen, o.beside, o.changed
        FROM tagdb_store.hashtag_counts o
    ), gone AS (
        DELETE FROM tagdb_store.hashtag_counts t
        USING (SELECT o.hashtag_id FROM old o
               EXCEPT
               SELECT f.hashtag_id FROM fresh f) g
        WHERE t.hashtag_id = g.hashtag_id
    )
    INSERT INTO tagdb_store.hashtag_counts (hashtag_id, images, first_seen, last_seen, beside, changed)
    SELECT f.hashtag_id, f.images, f.first_seen, f.last_seen, f.beside, f.changed FROM fresh f
    EXCEPT
    SELECT o.hashtag_id, o.images, o.first_seen, o.last_seen, o.beside, o.changed FROM old o
    ON CONFLICT (hashtag_id) DO UPDATE
    SET images = excluded.images, first_seen = excluded.first_seen, last_seen = excluded.last_seen,
        beside = excluded.beside, changed = excluded.changed;

    WITH fresh AS MATERIALIZED (
        SELECT c.hashtag_id, c.collection, count(*) AS images
        FROM pg_temp.tagdb_counted c
        WHERE c.hashtag_id IS NOT NULL AND c.collection IS NOT NULL
        GROUP BY c.hashtag_id, c.collection
    ), old AS MATERIALIZED (
        SELECT o.hashtag_id, o.collection, o.images
        FROM tagdb_store.hashtag_collections o
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
            GROUP BY 1, 3
        ) d
        CROSS JOIN (VALUES ('day'), ('week'), ('month')) AS p (period)
        GROUP BY 1, 2, 3
    ), old AS MATERIALIZED (
        SELECT o.hashtag_id, o.period, o.starts_on, o.images
        FROM tagdb_store.hashtag_trend o
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

    -- Each pair of an image once, by ascending id. Hashtags too rare to reach the minimum are skipped.
    -- Most pairs are rare, so a hash table of them would outgrow memory. They are sorted, as one number
    -- each, in less than half the time. Never hash that number: PostgreSQL's hash of a bigint is its halves'
    -- exclusive or, which is the same for very many pairs of small numbers.
    WITH frequent AS MATERIALIZED (
        SELECT c.image_id, c.hashtag_id
        FROM pg_temp.tagdb_counted c
        WHERE c.hashtag_id IS NOT NULL
          AND c.hashtag_id IN (SELECT n.hashtag_id FROM tagdb_store.hashtag_counts n
                               WHERE n.images >= pairs_from)
    ), fresh AS MATERIALIZED (
        SELECT (p.pair >> 32)::integer AS hashtag_id, (p.pair & 4294967295)::integer AS other_id,
               count(*) AS images
        FROM (
            SELECT a.hashtag_id::bigint << 32 | b.hashtag_id AS pair
            FROM frequent a
            JOIN frequent b ON b.image_id = a.image_id AND b.hashtag_id > a.hashtag_id
            ORDER BY pair
        ) p
        GROUP BY p.pair
        HAVING count(*) >= pairs_from
    ), old AS MATERIALIZED (
        SELECT o.hashtag_id, o.other_id, o.images
        FROM tagdb_store.hashtag_pairs o
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

    PERFORM tagdb_store.refresh_spellings();
    UPDATE tagdb_store.statistics
    SET refreshed_at = started, min_images = pairs_from,
        images = (SELECT count(*) FROM tagdb_store.counted_images),
        seconds = extract(epoch FROM clock_timestamp() - started);
    DROP TABLE pg_temp.tagdb_counted;
END
$$;
