-- The numbers of images.
SELECT i.content_sha256, i.image_id FROM tagdb_store.images i WHERE i.content_sha256 = ANY (%(hashes)s)
