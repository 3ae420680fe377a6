-- Which image carries which hashtag; what was known is left alone.
WITH linked AS (
    INSERT INTO tagdb_store.image_hashtags AS ih (image_id, hashtag_id, source, spelling)
    SELECT DISTINCT ON (n.image_id, n.hashtag_id) n.image_id, n.hashtag_id,
           CASE WHEN n.own THEN 'photo' ELSE 'ingest' END, n.spelling
    FROM unnest(%(image_ids)s::bigint[], %(hashtag_ids)s::integer[], %(own)s::boolean[], %(spellings)s::text[])
         AS n (image_id, hashtag_id, own, spelling)
    ORDER BY n.image_id, n.hashtag_id, n.own DESC -- what is written in the photo counts
    ON CONFLICT (image_id, hashtag_id) DO NOTHING
    RETURNING ih.image_id
)
SELECT DISTINCT linked.image_id FROM linked
