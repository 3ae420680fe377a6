-- How fresh the statistics of hashtags are.
SELECT s.refreshed_at, s.seconds, s.images, s.min_images FROM tagdb.statistics s
