-- As on one machine.
CREATE OR REPLACE FUNCTION tagdb_store.factors_of(image_id bigint)
RETURNS halfvec
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path FROM CURRENT
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    run integer := tagdb_store.active_run();
BEGIN
    RETURN (SELECT f.factors FROM tagdb_store.image_factors f WHERE f.factor_run_id = run AND f.image_id = $1);
END
$$;
