-- Whether an image has factors in the active run. For the views, so for readers.
CREATE OR REPLACE FUNCTION tagdb_store.has_factors(image_id bigint)
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM tagdb_store.image_factors f
                   WHERE f.factor_run_id = (SELECT r.factor_run_id FROM tagdb_store.factor_runs r
                                            WHERE r.status = 'active')
                     AND f.image_id = has_factors.image_id);
END;
