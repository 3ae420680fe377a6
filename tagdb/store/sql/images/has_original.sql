SELECT EXISTS (SELECT FROM tagdb_store.image_files f WHERE f.image_id = %(image_id)s AND f.original IS NOT NULL)
