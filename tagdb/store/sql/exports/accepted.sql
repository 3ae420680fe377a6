-- The hashtags that feedback accepted for some images, as they are written.
SELECT v.image_id, array_agg(coalesce(h.spelling, h.hashtag) ORDER BY h.hashtag_id) AS hashtags
FROM tagdb_store.verdicts v
JOIN tagdb_store.hashtags h ON h.hashtag_id = v.hashtag_id
WHERE v.accepted AND v.image_id = ANY (%(image_ids)s)
GROUP BY v.image_id
