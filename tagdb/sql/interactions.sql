-- Every hashtag that counts on every image, for ALS.
COPY (SELECT c.image_id, c.hashtag_id FROM tagdb_store.counted_hashtags c) TO STDOUT (FORMAT binary)
