-- As on one machine, by asking one worker for each image: a page of images, not for all of them.
CREATE OR REPLACE FUNCTION tagdb_store.has_factors(image_id bigint)
RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
SET search_path FROM CURRENT
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    run integer := (SELECT r.factor_run_id FROM tagdb_store.factor_runs r WHERE r.status = 'active');
BEGIN
    RETURN EXISTS (SELECT FROM tagdb_store.image_factors f WHERE f.factor_run_id = run AND f.image_id = $1);
END
$$;
