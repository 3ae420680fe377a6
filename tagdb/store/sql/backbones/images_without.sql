-- The next images in the order of their ids that a backbone has not embedded.
SELECT i.image_id, i.content_sha256, i.uri, i.bytes, f.original IS NOT NULL AS stored, f.kept_at
FROM tagdb_store.images i
LEFT JOIN tagdb_store.image_files f ON f.image_id = i.image_id
WHERE i.image_id > %(after)s
  AND NOT EXISTS (SELECT FROM tagdb_store.embeddings e
                  WHERE e.backbone_id = %(backbone_id)s AND e.image_id = i.image_id)
ORDER BY i.image_id
LIMIT %(images)s
