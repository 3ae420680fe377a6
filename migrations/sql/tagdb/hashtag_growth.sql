-- Hashtags used lately, and how much more than before.
CREATE OR REPLACE VIEW tagdb.hashtag_growth AS
WITH months AS (
    SELECT t.hashtag_id, t.images, t.starts_on > m.last - interval '3 months' AS recent
    FROM tagdb_store.hashtag_trend t
    CROSS JOIN (SELECT max(x.starts_on) AS last FROM tagdb_store.hashtag_trend x WHERE x.period = 'month') m
    WHERE t.period = 'month'
), sums AS (
    SELECT m.hashtag_id, coalesce(sum(m.images) FILTER (WHERE m.recent), 0)::bigint AS recent,
           coalesce(sum(m.images) FILTER (WHERE NOT m.recent), 0)::bigint AS before
    FROM months m
    GROUP BY m.hashtag_id
), totals AS (
    SELECT sum(s.recent) AS recent, sum(s.before) AS before FROM sums s
), grown AS (
    SELECT s.hashtag_id, s.recent, s.before, CASE WHEN t.before > 0 THEN
               round(((s.recent + 1) / (t.recent + 1)) / ((s.before + 1) / (t.before + 1)), 2)
           END::double precision AS growth,
           CASE WHEN t.before > 0 THEN
               round(tagdb_store.at_least(s.recent, s.before * t.recent / t.before)::numeric, 2)
           END::double precision AS growth_low
    FROM sums s
    CROSS JOIN totals t
    WHERE s.recent > 1
)
SELECT g.hashtag_id, h.hashtag, g.recent AS images, g.before AS images_before, g.growth, g.growth_low,
       CASE WHEN g.growth IS NOT NULL THEN rank() OVER (ORDER BY g.growth_low DESC NULLS LAST) END AS rank,
       s.refreshed_at
FROM grown g
JOIN tagdb_store.hashtags h ON h.hashtag_id = g.hashtag_id
CROSS JOIN tagdb_store.statistics s;
COMMENT ON VIEW tagdb.hashtag_growth IS
    'What is rising and falling: hashtags on two images or more of the last three months with photos, and how their share '
    'has changed since the time before.';
COMMENT ON COLUMN tagdb.hashtag_growth.hashtag_id IS 'Key: the hashtag.';
COMMENT ON COLUMN tagdb.hashtag_growth.hashtag IS 'The hashtag.';
COMMENT ON COLUMN tagdb.hashtag_growth.images IS
    'Images of the last three months with it. Over several hashtags they add up to uses of hashtags.';
COMMENT ON COLUMN tagdb.hashtag_growth.images_before IS
    'Images of the time before with it. Over several hashtags they add up to uses of hashtags.';
COMMENT ON COLUMN tagdb.hashtag_growth.growth IS
    'Do not add up or average: how many times as large its share of the last three months is as before, with one image '
    'more on either side. NULL if there is no time before.';
COMMENT ON COLUMN tagdb.hashtag_growth.growth_low IS
    'Do not add up or average: what growth is at least, with 95 % certainty: two photos of a new hashtag do not come first.';
COMMENT ON COLUMN tagdb.hashtag_growth.rank IS
    'Do not add up or average: place by growth_low, 1 for what grows most.';
COMMENT ON COLUMN tagdb.hashtag_growth.refreshed_at IS 'When the trend of all hashtags was last computed.';
