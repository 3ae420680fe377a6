SELECT tagdb.find_image(%(content_sha256)s)
