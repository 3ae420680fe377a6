-- Readers may ask, too, hence a function.
SELECT tagdb.rejected_hashtags(%(content_sha256)s)
