COPY tagdb_store.image_files (image_id, original, thumbnail) FROM STDIN (FORMAT binary)
