-- Every computation of factors, with its parameters.
CREATE VIEW tagdb.factor_runs AS
SELECT r.factor_run_id, r.status, r.factors, r.alpha, r.regularization, r.iterations, r.min_images,
       r.seed, r.neighbours, r.similarity_exponent, r.images, r.hashtags, r.interactions, r.seconds,
       r.versions, r.metrics, r.created_at, r.activated_at
FROM tagdb_store.factor_runs r;
COMMENT ON VIEW tagdb.factor_runs IS 'One row for each computation of ALS factors. Recommendations come from the one in status active.';
