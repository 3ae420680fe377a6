-- Images of the batch that have no embedding by this backbone yet, locked until the batch is in.
SELECT i.image_id, i.content_sha256,
       EXISTS (SELECT FROM tagdb_store.image_files f WHERE f.image_id = i.image_id) AS has_files
FROM tagdb_store.images i
WHERE i.content_sha256 = ANY (%(hashes)s)
  AND NOT EXISTS (SELECT FROM tagdb_store.embeddings e
                  WHERE e.backbone_id = %(backbone_id)s AND e.image_id = i.image_id)
ORDER BY i.content_sha256
FOR NO KEY UPDATE OF i
