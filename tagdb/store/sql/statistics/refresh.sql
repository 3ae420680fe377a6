SELECT tagdb_store.refresh_statistics(%(min_images)s)
