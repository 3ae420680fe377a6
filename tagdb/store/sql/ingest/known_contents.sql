-- Which of these contents are stored and embedded already.
SELECT i.content_sha256
FROM tagdb_store.images i
JOIN tagdb_store.embeddings e ON e.backbone_id = %(backbone_id)s AND e.image_id = i.image_id
WHERE i.content_sha256 = ANY (%(hashes)s)
