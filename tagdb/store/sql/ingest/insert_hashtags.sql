-- Hashtags that nobody has used before, in order, as in insert_images. They are spelt as they came first
-- until refresh_spellings counts.
INSERT INTO tagdb_store.hashtags (hashtag, spelling)
SELECT n.hashtag, n.spelling
FROM unnest(%(hashtags)s::text[], %(spellings)s::text[]) AS n (hashtag, spelling)
WHERE NOT EXISTS (SELECT FROM tagdb_store.hashtags k WHERE k.hashtag = n.hashtag)
ORDER BY n.hashtag
ON CONFLICT (hashtag) DO NOTHING
