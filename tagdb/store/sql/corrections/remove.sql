SELECT tagdb.remove_images(%(image_ids)s)
