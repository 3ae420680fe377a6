-- The image of a file.
SELECT i.image_id, i.uri FROM tagdb_store.images i WHERE i.content_sha256 = %(content_sha256)s
