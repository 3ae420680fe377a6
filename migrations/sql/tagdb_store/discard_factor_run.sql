-- Discards a run that is not active: marks it failed and drops everything it has computed.
CREATE OR REPLACE FUNCTION tagdb_store.discard_factor_run(run integer)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
BEGIN
    UPDATE tagdb_store.factor_runs SET status = 'failed'
    WHERE factor_run_id = run AND status IN ('building', 'ready');
    IF FOUND THEN
        EXECUTE format('DROP TABLE IF EXISTS tagdb_store.%I, tagdb_store.%I',
                       'image_factors_' || run, 'hashtag_factors_' || run);
        DELETE FROM tagdb_store.factor_maps m WHERE m.factor_run_id = run;
        DELETE FROM tagdb_store.factor_parts p WHERE p.factor_run_id = run;
    END IF;
END
$$;
