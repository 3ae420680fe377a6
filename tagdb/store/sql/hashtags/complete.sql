-- Hashtags that begin with a prefix, with their statistics; spelt as functions return them.
SELECT c.hashtag AS spelling, c.score, NULL::float8 AS growth, s.hashtag, s.images, s.image_share, s.first_seen, s.last_seen, s.collections, s.in_active_run, s.banned,
       s.alias_of
FROM tagdb.complete_hashtags(%(prefix)s, known => %(known)s, top => %(limit)s) c
JOIN tagdb.hashtag_stats s ON s.hashtag = tagdb.fold_hashtag(c.hashtag)
ORDER BY c.rank
