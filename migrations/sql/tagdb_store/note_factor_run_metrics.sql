-- Adds measurements to a factor run.
CREATE OR REPLACE FUNCTION tagdb_store.note_factor_run_metrics(run integer, metrics jsonb)
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    UPDATE tagdb_store.factor_runs r
    SET metrics = r.metrics || note_factor_run_metrics.metrics
    WHERE r.factor_run_id = run;
END;
