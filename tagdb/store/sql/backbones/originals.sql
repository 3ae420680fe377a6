-- The stored contents of some images.
SELECT f.image_id, f.original
FROM tagdb_store.image_files f
WHERE f.image_id = ANY (%(image_ids)s) AND f.original IS NOT NULL
