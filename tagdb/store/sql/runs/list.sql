SELECT r.factor_run_id, r.status, r.factors, r.alpha, r.regularization, r.iterations, r.min_images,
       r.min_hashtags, r.weighting, r.accepted_weight, r.ridge, r.ridge_penalty, r.refit_penalty, r.seed,
       r.neighbours, r.contrast, r.similarity_exponent, r.sample, r.asked, r.images, r.hashtags, r.interactions, r.seconds,
       r.versions, r.metrics, r.created_at, r.activated_at, r.pruned_at
FROM tagdb.factor_runs r
ORDER BY r.factor_run_id
