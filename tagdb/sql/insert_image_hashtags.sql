-- Which image carries which hashtag; what was known is left alone.
INSERT INTO tagdb_store.image_hashtags AS ih (image_id, hashtag_id)
SELECT DISTINCT i.image_id, h.hashtag_id
FROM pg_temp.incoming_hashtags n
JOIN tagdb_store.images i ON i.content_sha256 = n.content_sha256
JOIN tagdb_store.hashtags h ON h.hashtag = n.hashtag
ORDER BY i.image_id, h.hashtag_id
ON CONFLICT (image_id, hashtag_id) DO NOTHING
RETURNING ih.image_id
