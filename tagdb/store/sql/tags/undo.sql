SELECT tagdb_store.undo_hashtag_edit(%(edit_id)s)
