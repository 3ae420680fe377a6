-- A hashtag's factors in the active run, however it is spelt.
CREATE OR REPLACE FUNCTION tagdb.hashtag_factors(hashtag text)
RETURNS real[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT f.factors::real[]
    FROM tagdb_store.hashtags h
    JOIN tagdb_store.hashtag_factors f ON f.hashtag_id = coalesce(h.alias_of, h.hashtag_id)
    WHERE f.factor_run_id = (SELECT r.factor_run_id FROM tagdb_store.factor_runs r WHERE r.status = 'active')
      AND h.hashtag = tagdb.fold_hashtag(hashtag_factors.hashtag);
END;
COMMENT ON FUNCTION tagdb.hashtag_factors IS
    'The factors of a hashtag, or of the one that it is an alias of, in the active factor run; the dot product with '
    'those of an image is a score. NULL if the hashtag is unknown or has none. For analysts and writers.';
