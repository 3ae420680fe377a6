SELECT tagdb_store.drop_projections()
