-- Activates a run in the caller's transaction: attaches its tables as partitions if necessary, and retires
-- the run before. Readers see the old run until this commits and the new one afterwards.
CREATE OR REPLACE FUNCTION tagdb_store.activate_factor_run(run integer)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
BEGIN
    PERFORM tagdb_store.attach_factor_run(run);
    UPDATE tagdb_store.factor_runs SET status = 'retired' WHERE status = 'active' AND factor_run_id <> run;
    UPDATE tagdb_store.factor_runs SET status = 'active', activated_at = clock_timestamp()
    WHERE factor_run_id = run;
END
$$;
