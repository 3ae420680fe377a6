SELECT tagdb_store.note_token(%(token_sha256)s)
