-- As on one machine.
CREATE OR REPLACE FUNCTION tagdb_store.has_few_factors(run integer)
RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path FROM CURRENT
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
    RETURN (SELECT count(*) <= 1000 FROM tagdb_store.image_factors f WHERE f.factor_run_id = run);
END
$$;
