-- As on one machine, by asking one worker for each image: a page of images, not for all of them.
CREATE OR REPLACE FUNCTION tagdb_store.has_embedding(image_id bigint)
RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
SET search_path FROM CURRENT
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    backbone integer := (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active);
BEGIN
    RETURN EXISTS (SELECT FROM tagdb_store.embeddings e WHERE e.backbone_id = backbone AND e.image_id = $1);
END
$$;
