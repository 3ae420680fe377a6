-- Hashtags in the order of the alphabet.
SELECT h.spelling, NULL::float8 AS score, NULL::float8 AS growth, s.hashtag, s.images, s.image_share, s.first_seen, s.last_seen, s.collections, s.in_active_run, s.banned,
       s.alias_of
FROM tagdb.hashtag_stats s
JOIN tagdb.hashtags h ON h.hashtag_id = s.hashtag_id
ORDER BY s.hashtag
LIMIT %(limit)s OFFSET %(offset)s
