-- Factors of hashtags that came after a run, as in fold_in_images.
INSERT INTO tagdb_store.hashtag_factors AS f (factor_run_id, hashtag_id, factors, images, folded_in)
SELECT n.factor_run_id, n.hashtag_id, n.factors, n.images, true
FROM pg_temp.incoming_hashtag_factors n
ORDER BY n.hashtag_id
ON CONFLICT (factor_run_id, hashtag_id) DO UPDATE
SET factors = excluded.factors, images = excluded.images
WHERE f.folded_in
