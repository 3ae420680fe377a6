-- As on one machine.
CREATE OR REPLACE FUNCTION tagdb_store.count_vectors(
    backbone integer, run integer, OUT embeddings bigint, OUT factors bigint, OUT folded_in bigint)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
SET search_path FROM CURRENT
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
    SELECT count(*) INTO embeddings FROM tagdb_store.embeddings e WHERE e.backbone_id = backbone;
    SELECT count(*), count(*) FILTER (WHERE f.folded_in) INTO factors, count_vectors.folded_in
    FROM tagdb_store.image_factors f WHERE f.factor_run_id = run;
END
$$;
