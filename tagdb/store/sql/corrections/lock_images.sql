-- Keeps images from being changed until the transaction ends. In order of content, as everybody locks images.
SELECT i.image_id
FROM tagdb_store.images i
WHERE i.image_id = ANY (%(image_ids)s)
ORDER BY i.content_sha256
FOR NO KEY UPDATE
