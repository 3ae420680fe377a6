SELECT tagdb.withdraw_feedback(%(image_id)s, %(hashtags)s)
