SELECT p.hashtag, p.with_hashtag, p.images, p.confidence, p.lift FROM tagdb.hashtag_pairs p
WHERE p.hashtag = %(hashtag)s
ORDER BY p.images DESC, p.with_hashtag
LIMIT %(limit)s
