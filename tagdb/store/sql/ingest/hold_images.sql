-- The numbers of images, which nobody can remove until the batch is in. In order of content, as everybody locks images.
SELECT i.content_sha256, i.image_id
FROM tagdb_store.images i
WHERE i.content_sha256 = ANY (%(hashes)s)
ORDER BY i.content_sha256
FOR KEY SHARE
