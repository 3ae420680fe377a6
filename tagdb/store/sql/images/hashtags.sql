-- The hashtags of an image, spelt as most images spell them.
SELECT h.spelling AS hashtag, t.source
FROM tagdb.image_hashtags t
JOIN tagdb.hashtags h ON h.hashtag_id = t.hashtag_id
WHERE t.image_id = %(image_id)s
ORDER BY t.hashtag
