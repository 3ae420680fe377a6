-- Retires the projection of a backbone, so that searches scan all its embeddings. Returns whether there was
-- one.
CREATE OR REPLACE FUNCTION tagdb_store.retire_projection(backbone_id integer)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('tagdb search vectors'));
    UPDATE tagdb_store.projections p SET active = false, attached = false
    WHERE p.backbone_id = retire_projection.backbone_id AND p.active;
    RETURN FOUND;
END
$$;
