-- Input of the factors: the hashtags that count for each image, without those rejected for it, and whether
-- they were accepted.
CREATE OR REPLACE VIEW tagdb_store.interactions AS
SELECT c.image_id, c.hashtag_id, coalesce(v.accepted, false) AS accepted
FROM tagdb_store.counted_hashtags c
LEFT JOIN tagdb_store.verdicts v ON v.image_id = c.image_id AND v.hashtag_id = c.hashtag_id
WHERE v.accepted IS NOT FALSE;
