-- The next images in the order of their ids, and whether a backbone has embedded them.
WITH page AS MATERIALIZED (
    SELECT i.image_id, i.content_sha256, i.uri, i.bytes
    FROM tagdb_store.images i
    WHERE i.image_id > %(after)s
    ORDER BY i.image_id
    LIMIT %(images)s
), embedded AS MATERIALIZED (
    SELECT e.image_id
    FROM tagdb_store.embeddings e
    WHERE e.backbone_id = %(backbone_id)s AND e.image_id = ANY (ARRAY(SELECT p.image_id FROM page p))
)
SELECT p.image_id, p.content_sha256, p.uri, p.bytes, f.original IS NOT NULL AS stored, f.kept_at,
       EXISTS (SELECT FROM embedded e WHERE e.image_id = p.image_id) AS embedded
FROM page p
LEFT JOIN tagdb_store.image_files f ON f.image_id = p.image_id
ORDER BY p.image_id
