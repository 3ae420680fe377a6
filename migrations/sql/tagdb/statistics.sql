-- Age of the statistics.
CREATE OR REPLACE VIEW tagdb.statistics AS
SELECT s.refreshed_at, s.seconds, s.images, s.min_images
FROM tagdb_store.statistics s;
COMMENT ON VIEW tagdb.statistics IS 'One row: when hashtag_stats, hashtag_pairs, hashtag_trend and collection_stats were last computed, by an ingest or by tagdb stats refresh.';
COMMENT ON COLUMN tagdb.statistics.refreshed_at IS 'When they were computed.';
COMMENT ON COLUMN tagdb.statistics.seconds IS 'How long it took.';
COMMENT ON COLUMN tagdb.statistics.images IS 'Number of images at that time.';
COMMENT ON COLUMN tagdb.statistics.min_images IS 'Images that two hashtags must share to count as a pair.';
