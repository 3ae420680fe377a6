-- Use of hashtags over time.
CREATE OR REPLACE VIEW tagdb.hashtag_trend AS
SELECT t.hashtag_id, h.hashtag, t.period, t.starts_on, t.images, s.refreshed_at
FROM tagdb_store.hashtag_trend t
JOIN tagdb_store.hashtags h ON h.hashtag_id = t.hashtag_id
CROSS JOIN tagdb_store.statistics s;
COMMENT ON VIEW tagdb.hashtag_trend IS
    'Images per hashtag and day, week and month in which the photo was taken (or ingested, if unknown),'
    ' in UTC. Choose one period: the same images are counted in all three.';
COMMENT ON COLUMN tagdb.hashtag_trend.hashtag_id IS 'Number of the hashtag.';
COMMENT ON COLUMN tagdb.hashtag_trend.hashtag IS 'The hashtag.';
COMMENT ON COLUMN tagdb.hashtag_trend.period IS 'day, week or month.';
COMMENT ON COLUMN tagdb.hashtag_trend.starts_on IS 'First day of the period; weeks begin on Monday.';
COMMENT ON COLUMN tagdb.hashtag_trend.images IS 'Images of the period with the hashtag.';
COMMENT ON COLUMN tagdb.hashtag_trend.refreshed_at IS 'When the trend of all hashtags was last computed.';
