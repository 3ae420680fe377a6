-- The names of the hashtags that have factors in a run.
SELECT h.hashtag_id, h.hashtag
FROM tagdb_store.hashtag_factors f
JOIN tagdb_store.hashtags h ON h.hashtag_id = f.hashtag_id
WHERE f.factor_run_id = %(factor_run_id)s
