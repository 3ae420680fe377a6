-- Records the result of a factor run, which can then be activated.
CREATE OR REPLACE FUNCTION tagdb_store.finish_factor_run(
    run integer, images integer, hashtags integer, interactions bigint, seconds double precision,
    min_hashtags integer)
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    UPDATE tagdb_store.factor_runs
    SET status = 'ready', images = finish_factor_run.images, hashtags = finish_factor_run.hashtags,
        interactions = finish_factor_run.interactions, seconds = finish_factor_run.seconds,
        min_hashtags = finish_factor_run.min_hashtags
    WHERE factor_run_id = run AND status = 'building';
    DELETE FROM tagdb_store.factor_parts p WHERE p.factor_run_id = run;
END;
