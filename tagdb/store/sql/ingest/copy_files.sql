COPY tagdb_store.image_files (image_id, original, kept_at, thumbnail) FROM STDIN (FORMAT binary)
