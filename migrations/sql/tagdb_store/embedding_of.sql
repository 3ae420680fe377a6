-- A stored image's embedding by the active backbone; NULL if there is none.
CREATE OR REPLACE FUNCTION tagdb_store.embedding_of(image_id bigint)
RETURNS halfvec
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT e.embedding
    FROM tagdb_store.embeddings e
    WHERE e.backbone_id = tagdb_store.active_backbone()
      AND e.image_id = embedding_of.image_id;
END;
