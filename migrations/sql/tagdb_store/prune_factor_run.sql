-- Drops the factors of a run that is not active; its row stays. Returns 'pruned', 'in use', or 'kept' if
-- there was nothing to drop or the run is active.
--
-- Dropping a partition briefly needs an exclusive lock on its parent, and waiting for that blocks readers.
-- So the caller sets a short lock_timeout and tries again. Parents are locked in the order in which
-- recommending reads them, which avoids deadlocks.
--
-- A run is also in use while a snapshot older than its retirement is held (REPEATABLE READ, a backup),
-- because its holder sees no newer run; that includes snapshots on standbys which report them
-- (hot_standby_feedback), every ten seconds. Snapshots of other logins are not waited for if the owner may not
-- see them (pg_read_all_stats).
CREATE OR REPLACE FUNCTION tagdb_store.prune_factor_run(run integer)
RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
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
    IF EXISTS (SELECT
               FROM (SELECT a.backend_xmin FROM pg_catalog.pg_stat_activity a
                     WHERE a.pid <> pg_backend_pid()
                       AND (a.datname = current_database() OR a.backend_type = 'walsender')
                     UNION ALL
                     SELECT s.xmin FROM pg_catalog.pg_replication_slots s WHERE s.active) held
               WHERE age(held.backend_xmin) >= age(changed)) THEN
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
