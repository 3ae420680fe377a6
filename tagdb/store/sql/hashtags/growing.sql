-- Hashtags that grow: how many times as large their share of the images of the last three months is as before. One
-- image more on either side keeps what is rare from coming first.
WITH months AS (
    SELECT t.hashtag_id, t.images, t.starts_on > m.last - interval '3 months' AS recent
    FROM tagdb.hashtag_trend t
    CROSS JOIN (SELECT max(x.starts_on) AS last FROM tagdb.hashtag_trend x WHERE x.period = 'month') m
    WHERE t.period = 'month'
), sums AS (
    SELECT m.hashtag_id, coalesce(sum(m.images) FILTER (WHERE m.recent), 0) AS recent,
           coalesce(sum(m.images) FILTER (WHERE NOT m.recent), 0) AS before
    FROM months m GROUP BY m.hashtag_id
), totals AS (
    SELECT sum(s.recent) AS recent, sum(s.before) AS before FROM sums s
), grown AS (
    SELECT s.hashtag_id,
           (((s.recent + 1) / (t.recent + 1)) / ((s.before + 1) / (t.before + 1)))::float8 AS growth
    FROM sums s CROSS JOIN totals t
    WHERE s.recent > 1 AND t.before > 0
)
SELECT h.spelling, NULL::float8 AS score, g.growth, s.hashtag, s.images, s.image_share, s.first_seen, s.last_seen, s.collections, s.in_active_run, s.banned,
       s.alias_of
FROM grown g
JOIN tagdb.hashtag_stats s ON s.hashtag_id = g.hashtag_id
JOIN tagdb.hashtags h ON h.hashtag_id = g.hashtag_id
WHERE g.growth > 1
ORDER BY g.growth DESC, s.images DESC, s.hashtag
LIMIT %(limit)s OFFSET %(offset)s
