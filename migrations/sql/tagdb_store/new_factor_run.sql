-- Starts a factor run: its row, in status 'building', and two tables that are not partitions yet, so that
-- filling them takes no lock that blocks readers.
--
-- The session keeps a lock on the run's number; while it is held, the run is being computed. See
-- discard_abandoned_factor_runs.
CREATE OR REPLACE FUNCTION tagdb_store.new_factor_run(settings jsonb, versions jsonb)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
    run integer;
    kind text;
BEGIN
    INSERT INTO tagdb_store.factor_runs AS r
        (factors, alpha, regularization, iterations, min_images, seed, neighbours, contrast, similarity_exponent,
         weighting, accepted_weight, min_hashtags, ridge, ridge_penalty, refit_penalty, sample, asked, versions)
    SELECT s.factors, s.alpha, s.regularization, s.iterations, s.min_images, s.seed, s.neighbours,
           coalesce(s.contrast, 0), s.similarity_exponent, s.weighting, s.accepted_weight, s.min_hashtags, s.ridge, s.ridge_penalty,
           s.refit_penalty, coalesce(s.sample, 0), coalesce(s.asked, '{}'), new_factor_run.versions
    FROM jsonb_populate_record(NULL::tagdb_store.factor_runs, settings) s
    RETURNING r.factor_run_id INTO run;
    PERFORM pg_advisory_lock(hashtext('tagdb factor run'), run);
    FOREACH kind IN ARRAY ARRAY['image_factors', 'hashtag_factors'] LOOP
        EXECUTE format(
            'CREATE TABLE tagdb_store.%1$I (LIKE tagdb_store.%2$I INCLUDING STORAGE INCLUDING DEFAULTS INCLUDING GENERATED,'
            ' CONSTRAINT of_run CHECK (factor_run_id = %3$s))',
            kind || '_' || run, kind, run);
        EXECUTE format('GRANT SELECT, INSERT ON tagdb_store.%I TO tagdb_writer', kind || '_' || run);
    END LOOP;
    PERFORM tagdb_store.spread('image_factors_' || run);
    RETURN run;
END
$$;
