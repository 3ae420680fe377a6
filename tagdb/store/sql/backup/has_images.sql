SELECT EXISTS (SELECT FROM tagdb_store.images)
