-- A stored image's factors in the active run; NULL if it has none.
CREATE OR REPLACE FUNCTION tagdb_store.factors_of(image_id bigint)
RETURNS halfvec
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT f.factors
    FROM tagdb_store.image_factors f
    WHERE f.factor_run_id = tagdb_store.active_run()
      AND f.image_id = factors_of.image_id;
END;
