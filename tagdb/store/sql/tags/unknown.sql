-- Which of some hashtags no image has ever had.
SELECT n.hashtag
FROM unnest(%(hashtags)s::text[]) WITH ORDINALITY n (hashtag, place)
WHERE NOT EXISTS (SELECT FROM tagdb.hashtags h WHERE h.hashtag = n.hashtag)
ORDER BY n.place
