-- The images whose URIs begin in some way.
SELECT i.image_id, i.uri FROM tagdb_store.images i WHERE starts_with(i.uri, %(prefix)s) ORDER BY i.uri, i.image_id
