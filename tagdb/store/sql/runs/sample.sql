-- A sample of the images with hashtags, the same for the same seed. Up to half of them keep rare hashtags: first so
-- many images of each as it must have, as far as there is room those images that have most of these; then the next
-- ones. The others are by chance, as a number says that means nothing else.
COPY (
    WITH ranked AS (
        SELECT c.image_id,
               (row_number() OVER (PARTITION BY c.hashtag_id
                                   ORDER BY hashint8extended(c.image_id, %(seed)s), c.image_id) - 1)
               / %(min_images)s AS level
        FROM tagdb_store.counted_hashtags c
        WHERE c.hashtag_id = ANY (%(rare)s)
    ), levels AS (
        SELECT DISTINCT ON (r.image_id) r.image_id, r.level, count(*) AS gain
        FROM ranked r
        GROUP BY r.image_id, r.level
        ORDER BY r.image_id, r.level
    ), kept AS MATERIALIZED (
        SELECT l.image_id
        FROM levels l
        ORDER BY l.level, l.gain DESC, hashint8extended(l.image_id, %(seed)s), l.image_id
        LIMIT %(images)s / 2
    ), others AS (
        SELECT i.image_id
        FROM tagdb_store.images i
        WHERE EXISTS (SELECT FROM tagdb_store.image_hashtags ih WHERE ih.image_id = i.image_id)
          AND NOT EXISTS (SELECT FROM kept k WHERE k.image_id = i.image_id)
        ORDER BY hashint8extended(i.image_id, %(seed)s + 4294967296), i.image_id
        LIMIT %(images)s - (SELECT count(*) FROM kept)
    )
    SELECT k.image_id FROM kept k
    UNION ALL
    SELECT o.image_id FROM others o
) TO STDOUT (FORMAT binary)
