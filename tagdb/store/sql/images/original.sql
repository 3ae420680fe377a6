SELECT tagdb.original(%(image_id)s)
