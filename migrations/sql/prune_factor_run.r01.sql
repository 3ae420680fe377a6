-- Drops the factors of a run that is not active; its row stays. False if there was nothing to drop.
--
-- Dropping a partition needs its parent for itself for a moment, and who waits for that makes readers
-- wait in turn: the caller sets a short lock_timeout and tries again. The parents are locked in the
-- order in which recommending reads them, so that neither waits for the other in a circle.
CREATE FUNCTION tagdb_store.prune_factor_run(run integer)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    LOCK TABLE tagdb_store.factor_runs IN SHARE ROW EXCLUSIVE MODE;
    IF NOT EXISTS (SELECT FROM tagdb_store.factor_runs r
                   WHERE r.factor_run_id = run AND r.status IN ('ready', 'retired')
                     AND r.pruned_at IS NULL) THEN
        RETURN false;
    END IF;
    LOCK TABLE ONLY tagdb_store.hashtag_factors IN ACCESS EXCLUSIVE MODE;
    LOCK TABLE ONLY tagdb_store.image_factors IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('DROP TABLE IF EXISTS tagdb_store.%I, tagdb_store.%I',
                   'hashtag_factors_' || run, 'image_factors_' || run);
    DELETE FROM tagdb_store.factor_maps g WHERE g.factor_run_id = run;
    UPDATE tagdb_store.factor_runs r SET pruned_at = clock_timestamp() WHERE r.factor_run_id = run;
    RETURN true;
END
$$;
