-- Embeddings by a backbone, and images with factors in a run, those that were folded in apart. For the views, so for readers.
CREATE OR REPLACE FUNCTION tagdb_store.count_vectors(
    backbone integer, run integer, OUT embeddings bigint, OUT factors bigint, OUT folded_in bigint)
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT (SELECT count(*) FROM tagdb_store.embeddings e WHERE e.backbone_id = backbone),
           (SELECT count(*) FROM tagdb_store.image_factors f WHERE f.factor_run_id = run),
           (SELECT count(*) FROM tagdb_store.image_factors f WHERE f.factor_run_id = run AND f.folded_in);
END;
