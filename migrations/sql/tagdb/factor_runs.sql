-- Every computation of factors, with its settings.
CREATE OR REPLACE VIEW tagdb.factor_runs AS
SELECT r.factor_run_id, r.status, r.factors, r.alpha, r.regularization, r.iterations, r.min_images,
       r.seed, r.neighbours, r.similarity_exponent, r.images, r.hashtags, r.interactions, r.seconds,
       r.versions, r.metrics, r.created_at, r.activated_at, r.weighting,
       r.min_hashtags, r.accepted_weight, r.ridge, r.ridge_penalty, r.refit_penalty, r.pruned_at, r.sample,
       round((r.metrics #>> '{nDCG@10,mean}')::numeric, 4)::double precision AS ndcg_at_10,
       round((r.metrics #>> '{nDCG@10,low}')::numeric, 4)::double precision AS ndcg_at_10_low,
       round((r.metrics #>> '{nDCG@10,high}')::numeric, 4)::double precision AS ndcg_at_10_high,
       r.contrast, r.asked
FROM tagdb_store.factor_runs r;
COMMENT ON VIEW tagdb.factor_runs IS
    'One row per computation of ALS factors. Recommendations come from the active one.';
COMMENT ON COLUMN tagdb.factor_runs.factor_run_id IS 'Key: the factor run.';
COMMENT ON COLUMN tagdb.factor_runs.status IS 'building, ready, active, retired or failed.';
COMMENT ON COLUMN tagdb.factor_runs.factors IS 'Setting: numbers per vector.';
COMMENT ON COLUMN tagdb.factor_runs.alpha IS 'Setting: confidence in a hashtag on a photo.';
COMMENT ON COLUMN tagdb.factor_runs.regularization IS 'Setting: weight of the penalty against overfitting.';
COMMENT ON COLUMN tagdb.factor_runs.iterations IS 'Setting: rounds of ALS.';
COMMENT ON COLUMN tagdb.factor_runs.min_images IS 'Setting: hashtags on fewer images were left out.';
COMMENT ON COLUMN tagdb.factor_runs.seed IS 'Setting: the same interactions, parameters and seed give the same factors.';
COMMENT ON COLUMN tagdb.factor_runs.neighbours IS 'Setting: nearest images averaged per recommendation.';
COMMENT ON COLUMN tagdb.factor_runs.similarity_exponent IS
    'Setting: without contrast, a neighbour is weighted by its cosine similarity to this power; 0 gives the plain mean.';
COMMENT ON COLUMN tagdb.factor_runs.images IS 
    'Do not add up: images that have factors, most of them in other runs, too.';
COMMENT ON COLUMN tagdb.factor_runs.hashtags IS 
    'Do not add up: hashtags that have factors, most of them in other runs, too.';
COMMENT ON COLUMN tagdb.factor_runs.interactions IS
    'Do not add up: pairs of image and hashtag from which they were computed.';
COMMENT ON COLUMN tagdb.factor_runs.seconds IS 'How long the computation took, in seconds.';
COMMENT ON COLUMN tagdb.factor_runs.versions IS 'Versions of tagdb and of the libraries used.';
COMMENT ON COLUMN tagdb.factor_runs.metrics IS 'Measured quality.';
COMMENT ON COLUMN tagdb.factor_runs.created_at IS 'When it started.';
COMMENT ON COLUMN tagdb.factor_runs.activated_at IS 'When it last became active.';
COMMENT ON COLUMN tagdb.factor_runs.weighting IS 'How interactions were weighted: none, bm25 or tfidf.';
COMMENT ON COLUMN tagdb.factor_runs.min_hashtags IS
    'Setting: images with fewer hashtags have no factors and are not used as neighbours.';
COMMENT ON COLUMN tagdb.factor_runs.accepted_weight IS
    'Setting: factor by which the confidence in hashtags accepted by feedback was multiplied.';
COMMENT ON COLUMN tagdb.factor_runs.ridge IS 'Setting: share of an image''s factors predicted from its embedding.';
COMMENT ON COLUMN tagdb.factor_runs.ridge_penalty IS 'Setting: penalty in the regression of that prediction.';
COMMENT ON COLUMN tagdb.factor_runs.refit_penalty IS
    'Setting: penalty in refitting hashtag factors to averages of neighbours; 0: no refit.';
COMMENT ON COLUMN tagdb.factor_runs.pruned_at IS
    'When its factors were dropped, so that it can no longer be activated.';
COMMENT ON COLUMN tagdb.factor_runs.sample IS
    'Setting: of how many images, or of which share of them, ALS was computed; 0: of all.';
COMMENT ON COLUMN tagdb.factor_runs.ndcg_at_10 IS
    'Do not add up or average: quality of its recommendations on held-out photos, 0 to 1: nDCG of the first ten. NULL if it '
    'was not evaluated.';
COMMENT ON COLUMN tagdb.factor_runs.ndcg_at_10_low IS 'Do not add up or average: lower end of its 95 % interval.';
COMMENT ON COLUMN tagdb.factor_runs.ndcg_at_10_high IS 'Do not add up or average: upper end of its 95 % interval.';
COMMENT ON COLUMN tagdb.factor_runs.contrast IS
    'Setting: how steeply a neighbour''s weight grows with its similarity off the mean of all photos, in units of e per '
    'standard deviation; 0 means similarity_exponent.';
COMMENT ON COLUMN tagdb.factor_runs.asked IS
    'Setting: all settings as asked for, before any followed the number of images; "chosen" names defaults that must not.';
