-- The factor run to recommend from: the active one, if this transaction can see its factors.
--
-- A transaction that has already used factors keeps the partitions it knew then, until it locks something
-- new or ends, while every statement sees the newest rows of factor_runs. Without the second condition, a
-- call after an activation would look for a run whose partitions it does not know, and find nothing. So it
-- continues to use the run before.
CREATE OR REPLACE FUNCTION tagdb_store.active_run()
RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT r.factor_run_id
    FROM tagdb_store.factor_runs r
    WHERE r.status IN ('active', 'retired')
      AND EXISTS (SELECT FROM tagdb_store.factor_runs a WHERE a.status = 'active')
      AND EXISTS (SELECT FROM tagdb_store.hashtag_factors f WHERE f.factor_run_id = r.factor_run_id)
    ORDER BY r.activated_at DESC
    LIMIT 1;
END;
