-- Images by their numbers.
SELECT i.image_id, i.uri FROM tagdb_store.images i WHERE i.image_id = ANY (%(image_ids)s) ORDER BY i.image_id
