-- Every hashtag on every image, for ALS.
COPY (SELECT ih.image_id, ih.hashtag_id FROM tagdb_store.image_hashtags ih) TO STDOUT (FORMAT binary)
