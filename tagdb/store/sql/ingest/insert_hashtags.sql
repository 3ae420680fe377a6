-- Hashtags that nobody has used before, in order, as in insert_images.
INSERT INTO tagdb_store.hashtags (hashtag)
SELECT n.hashtag
FROM unnest(%(hashtags)s::text[]) AS n (hashtag)
WHERE NOT EXISTS (SELECT FROM tagdb_store.hashtags k WHERE k.hashtag = n.hashtag)
ORDER BY n.hashtag
ON CONFLICT (hashtag) DO NOTHING
