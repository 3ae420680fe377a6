-- What splitting and measuring need to know of images, in order.
SELECT i.image_id, i.content_sha256, i.source_ref, i.collection
FROM tagdb_store.images i
WHERE i.image_id = ANY (%(image_ids)s)
ORDER BY i.image_id
