-- Whether at most a thousand images have factors in a run: counted, because some may have been folded in.
CREATE OR REPLACE FUNCTION tagdb_store.has_few_factors(run integer)
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT count(*) <= 1000
    FROM (SELECT FROM tagdb_store.image_factors f WHERE f.factor_run_id = run LIMIT 1001) n;
END;
