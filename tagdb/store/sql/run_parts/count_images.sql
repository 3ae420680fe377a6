SELECT count(*) FROM tagdb_store.images
