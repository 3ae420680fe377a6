-- The numbers of all images, or of those of a collection.
SELECT i.image_id
FROM tagdb_store.images i
WHERE %(collection)s::text IS NULL OR i.collection = %(collection)s
ORDER BY i.image_id
