-- Drops the factors of a run that is not active; its row stays. Says 'pruned', 'in use' or, where there
-- was nothing to drop or the run is the active one, 'kept'.
--
-- Dropping a partition needs its parent for itself for a moment, and who waits for that makes readers
-- wait in turn: the caller sets a short lock_timeout and tries again. The parents are locked in the
-- order in which recommending reads them, so that neither waits for the other in a circle.
--
-- A run is also in use while a snapshot is held that is older than the run's retirement: whoever holds
-- it (REPEATABLE READ, a back-up) sees no newer run. Where the owner may not see the snapshots of other
-- logins (pg_read_all_stats), they are not waited for.
CREATE OR REPLACE FUNCTION tagdb_store.prune_factor_run(run integer)
RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed xid;
BEGIN
    LOCK TABLE tagdb_store.factor_runs IN SHARE ROW EXCLUSIVE MODE;
    SELECT r.xmin INTO changed
    FROM tagdb_store.factor_runs r
    WHERE r.factor_run_id = run AND r.status IN ('ready', 'retired') AND r.pruned_at IS NULL;
    IF NOT FOUND THEN
        RETURN 'kept';
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_stat_activity a
               WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
                 AND age(a.backend_xmin) >= age(changed)) THEN
        RETURN 'in use';
    END IF;
    LOCK TABLE ONLY tagdb_store.hashtag_factors IN ACCESS EXCLUSIVE MODE;
    LOCK TABLE ONLY tagdb_store.image_factors IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('DROP TABLE IF EXISTS tagdb_store.%I, tagdb_store.%I',
                   'hashtag_factors_' || run, 'image_factors_' || run);
    DELETE FROM tagdb_store.factor_maps m WHERE m.factor_run_id = run;
    UPDATE tagdb_store.factor_runs r SET pruned_at = clock_timestamp() WHERE r.factor_run_id = run;
    RETURN 'pruned';
END
$$;
