-- Discards the runs whose computation was killed: those in status 'building' whose number no session has
-- locked. Returns their number. Not to be called while building a run in the same session.
CREATE OR REPLACE FUNCTION tagdb_store.discard_abandoned_factor_runs()
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
    run integer;
    discarded integer := 0;
BEGIN
    FOR run IN SELECT r.factor_run_id FROM tagdb_store.factor_runs r WHERE r.status = 'building' LOOP
        IF pg_try_advisory_xact_lock(hashtext('tagdb factor run'), run) THEN
            PERFORM tagdb_store.discard_factor_run(run);
            discarded := discarded + 1;
        END IF;
    END LOOP;
    RETURN discarded;
END
$$;
