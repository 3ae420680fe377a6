-- Every computation of factors, with its parameters.
CREATE OR REPLACE VIEW tagdb.factor_runs AS
SELECT r.factor_run_id, r.status, r.factors, r.alpha, r.regularization, r.iterations, r.min_images,
       r.seed, r.neighbours, r.similarity_exponent, r.images, r.hashtags, r.interactions, r.seconds,
       r.versions, r.metrics, r.created_at, r.activated_at, r.weighting,
       r.min_hashtags, r.accepted_weight, r.ridge, r.ridge_penalty, r.refit_penalty, r.pruned_at
FROM tagdb_store.factor_runs r;
COMMENT ON VIEW tagdb.factor_runs IS 'One row for each computation of ALS factors. Recommendations come from the one in status active.';
COMMENT ON COLUMN tagdb.factor_runs.factor_run_id IS 'Number of the factor run.';
COMMENT ON COLUMN tagdb.factor_runs.status IS 'building, ready, active, retired or failed.';
COMMENT ON COLUMN tagdb.factor_runs.factors IS 'Numbers in each vector.';
COMMENT ON COLUMN tagdb.factor_runs.alpha IS 'Confidence of a hashtag on a photo.';
COMMENT ON COLUMN tagdb.factor_runs.regularization IS 'Weight of the penalty against overfitting.';
COMMENT ON COLUMN tagdb.factor_runs.iterations IS 'Rounds of ALS.';
COMMENT ON COLUMN tagdb.factor_runs.min_images IS 'Hashtags on fewer images were left out.';
COMMENT ON COLUMN tagdb.factor_runs.seed IS 'The same interactions, parameters and seed give the same factors.';
COMMENT ON COLUMN tagdb.factor_runs.neighbours IS 'How many nearest images a recommendation averages.';
COMMENT ON COLUMN tagdb.factor_runs.similarity_exponent IS 'A neighbour weighs its cosine similarity to this power; 0 is the plain mean.';
COMMENT ON COLUMN tagdb.factor_runs.images IS 'Images that have factors.';
COMMENT ON COLUMN tagdb.factor_runs.hashtags IS 'Hashtags that have factors.';
COMMENT ON COLUMN tagdb.factor_runs.interactions IS 'Pairs of image and hashtag that they were computed of.';
COMMENT ON COLUMN tagdb.factor_runs.seconds IS 'How long it took.';
COMMENT ON COLUMN tagdb.factor_runs.versions IS 'Versions of tagdb and of the libraries that computed.';
COMMENT ON COLUMN tagdb.factor_runs.metrics IS 'What was measured of it.';
COMMENT ON COLUMN tagdb.factor_runs.created_at IS 'When it began.';
COMMENT ON COLUMN tagdb.factor_runs.activated_at IS 'When it last became active.';
COMMENT ON COLUMN tagdb.factor_runs.weighting IS 'How interactions were weighted: none, bm25 or tfidf.';
COMMENT ON COLUMN tagdb.factor_runs.min_hashtags IS 'Images with fewer hashtags have no factors and are never neighbours.';
COMMENT ON COLUMN tagdb.factor_runs.accepted_weight IS 'How many times the confidence of a hashtag one has that feedback accepted.';
COMMENT ON COLUMN tagdb.factor_runs.ridge IS 'Share of an image''s factors that was predicted from its embedding.';
COMMENT ON COLUMN tagdb.factor_runs.ridge_penalty IS 'Penalty of that prediction''s regression.';
COMMENT ON COLUMN tagdb.factor_runs.refit_penalty IS 'Penalty of refitting hashtag factors to averages of neighbours; 0 where they are as ALS left them.';
COMMENT ON COLUMN tagdb.factor_runs.pruned_at IS 'When its factors were dropped; it cannot be activated since.';
