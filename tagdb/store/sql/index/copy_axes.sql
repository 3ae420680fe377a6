COPY tagdb_store.projection_axes FROM STDIN (FORMAT binary)
