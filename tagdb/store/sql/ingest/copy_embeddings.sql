COPY tagdb_store.embeddings FROM STDIN (FORMAT binary)
