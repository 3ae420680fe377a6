-- The images of a collection.
SELECT i.image_id, i.uri FROM tagdb_store.images i WHERE i.collection = %(collection)s ORDER BY i.uri, i.image_id
