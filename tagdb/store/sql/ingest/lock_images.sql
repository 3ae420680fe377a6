-- As hold_images, for a batch that replaces what is stored: no other batch changes these images until this one is in.
SELECT i.content_sha256, i.image_id
FROM tagdb_store.images i
WHERE i.content_sha256 = ANY (%(hashes)s)
ORDER BY i.content_sha256
FOR NO KEY UPDATE
