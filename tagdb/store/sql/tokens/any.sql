SELECT tagdb_store.has_tokens()
