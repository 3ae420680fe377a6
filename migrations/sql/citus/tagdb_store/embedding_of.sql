-- As on one machine.
CREATE OR REPLACE FUNCTION tagdb_store.embedding_of(image_id bigint)
RETURNS halfvec
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path FROM CURRENT
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    backbone integer := tagdb_store.active_backbone();
BEGIN
    RETURN (SELECT e.embedding FROM tagdb_store.embeddings e WHERE e.backbone_id = backbone AND e.image_id = $1);
END
$$;
