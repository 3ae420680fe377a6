-- The backbone whose embeddings are searched; NULL if there is none yet.
CREATE OR REPLACE FUNCTION tagdb_store.active_backbone()
RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active;
END;
