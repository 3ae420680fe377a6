SELECT tagdb_store.count_changed_images()
