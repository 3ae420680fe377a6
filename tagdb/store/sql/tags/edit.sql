SELECT tagdb_store.edit_hashtags(%(kind)s, %(hashtags)s, %(into_hashtag)s)
