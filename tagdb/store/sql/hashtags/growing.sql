SELECT h.spelling, NULL::float8 AS score, g.growth, s.hashtag, s.images, s.image_share, s.first_seen, s.last_seen, s.collections, s.in_active_run, s.banned,
       s.alias_of
FROM tagdb.hashtag_growth g
JOIN tagdb.hashtag_stats s ON s.hashtag_id = g.hashtag_id
JOIN tagdb.hashtags h ON h.hashtag_id = g.hashtag_id
WHERE g.growth > 1
ORDER BY g.rank, s.images DESC, s.hashtag
LIMIT %(limit)s OFFSET %(offset)s
