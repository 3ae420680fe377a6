-- Hashtags that go together, each pair once.
SELECT p.hashtag, p.with_hashtag, p.images, p.confidence, p.lift FROM tagdb.hashtag_pairs p
WHERE p.hashtag < p.with_hashtag
ORDER BY p.images DESC, p.lift DESC, p.hashtag, p.with_hashtag
LIMIT %(limit)s
