-- Whether the active backbone has embedded an image. For the views, so for readers.
CREATE OR REPLACE FUNCTION tagdb_store.has_embedding(image_id bigint)
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM tagdb_store.embeddings e
                   WHERE e.backbone_id = (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active)
                     AND e.image_id = has_embedding.image_id);
END;
