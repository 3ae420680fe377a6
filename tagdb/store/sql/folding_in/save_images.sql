-- Factors of images that came after a run. What the run itself has computed is left alone.
INSERT INTO tagdb_store.image_factors AS f (factor_run_id, image_id, factors, folded_in)
SELECT n.factor_run_id, n.image_id, n.factors, true
FROM pg_temp.incoming_image_factors n
ORDER BY n.image_id
ON CONFLICT (factor_run_id, image_id) DO UPDATE SET factors = excluded.factors WHERE f.folded_in
