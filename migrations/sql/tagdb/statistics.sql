-- Age of the statistics.
CREATE OR REPLACE VIEW tagdb.statistics AS
SELECT s.refreshed_at, s.seconds, s.images, s.min_images
FROM tagdb_store.statistics s;
COMMENT ON VIEW tagdb.statistics IS 'One row: when hashtag_stats, hashtag_pairs, hashtag_growth, collection_stats, collection_hashtags and the trends were last computed, by an ingest or by tagdb stats refresh.';
COMMENT ON COLUMN tagdb.statistics.refreshed_at IS 'When they were computed.';
COMMENT ON COLUMN tagdb.statistics.seconds IS 'How long it took, in seconds.';
COMMENT ON COLUMN tagdb.statistics.images IS 'Number of images at that time.';
COMMENT ON COLUMN tagdb.statistics.min_images IS 'Setting: images that two hashtags must share to count as a pair.';
