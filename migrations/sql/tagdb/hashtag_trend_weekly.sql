-- Use of hashtags by week.
CREATE OR REPLACE VIEW tagdb.hashtag_trend_weekly AS
SELECT t.hashtag_id, h.hashtag, t.starts_on, t.images, r.rank, s.refreshed_at
FROM tagdb_store.hashtag_trend t
JOIN tagdb_store.hashtags h ON h.hashtag_id = t.hashtag_id
-- Only the first hundred, which the index gives: to rank all would read the whole trend for the first page of a chart.
-- One row per week and hashtag by GROUP BY, so that PostgreSQL leaves the join out where nobody asks for the rank.
LEFT JOIN (
    SELECT d.day::date AS starts_on, x.hashtag_id, min(x.rank) AS rank
    FROM (SELECT min(t.starts_on)::timestamp AS first, max(t.starts_on)::timestamp AS last
          FROM tagdb_store.hashtag_trend t WHERE t.period = 'week') e
    CROSS JOIN LATERAL generate_series(e.first, e.last, interval '1 week') AS d (day)
    CROSS JOIN LATERAL (SELECT t.hashtag_id, rank() OVER (ORDER BY t.images DESC) AS rank
                        FROM tagdb_store.hashtag_trend t
                        WHERE t.period = 'week' AND t.starts_on = d.day::date
                        ORDER BY t.images DESC
                        LIMIT 100) x
    GROUP BY 1, 2
) r ON r.starts_on = t.starts_on AND r.hashtag_id = t.hashtag_id
CROSS JOIN tagdb_store.statistics s
WHERE t.period = 'week';
COMMENT ON VIEW tagdb.hashtag_trend_weekly IS
    'Images per hashtag and week in which the photo was taken (or ingested, if unknown). A week in which a hashtag '
    'was not used has no row; tagdb.hashtag_trend() gives those, too.';
COMMENT ON COLUMN tagdb.hashtag_trend_weekly.hashtag_id IS 'Key: the hashtag.';
COMMENT ON COLUMN tagdb.hashtag_trend_weekly.hashtag IS 'The hashtag.';
COMMENT ON COLUMN tagdb.hashtag_trend_weekly.starts_on IS 'Monday of the week, in UTC.';
COMMENT ON COLUMN tagdb.hashtag_trend_weekly.images IS
    'Images of the week with the hashtag. Over several hashtags they add up to uses of hashtags.';
COMMENT ON COLUMN tagdb.hashtag_trend_weekly.rank IS
    'Do not add up or average: place among the hashtags of the week, 1 for the most used. NULL below the hundred most '
    'used.';
COMMENT ON COLUMN tagdb.hashtag_trend_weekly.refreshed_at IS 'When the trend of all hashtags was last computed.';
