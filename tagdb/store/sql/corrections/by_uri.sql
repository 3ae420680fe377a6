-- The images at a place.
SELECT i.image_id, i.uri FROM tagdb_store.images i WHERE i.uri = %(uri)s ORDER BY i.image_id
