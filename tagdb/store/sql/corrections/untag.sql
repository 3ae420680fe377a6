SELECT t FROM tagdb.untag_image(%(image_id)s, %(hashtags)s) t
