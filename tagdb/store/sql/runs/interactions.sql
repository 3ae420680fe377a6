-- Every hashtag that counts on every image, for ALS, and whether feedback has accepted it.
COPY (SELECT i.image_id, i.hashtag_id, i.accepted::integer FROM tagdb_store.interactions i)
TO STDOUT (FORMAT binary)
