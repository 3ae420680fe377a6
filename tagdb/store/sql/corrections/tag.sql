SELECT t FROM tagdb.tag_image(%(image_id)s, %(hashtags)s) t
