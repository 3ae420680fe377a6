SELECT tagdb.thumbnail(%(image_id)s)
