-- The projection in use for a backbone, or NULL. It stays in use until the caller's transaction ends, so a
-- batch adds its search vectors to the right one.
CREATE OR REPLACE FUNCTION tagdb_store.searched_projection(backbone_id integer)
RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('tagdb search vectors'));
    RETURN (SELECT p.projection_id FROM tagdb_store.projections p
            WHERE p.backbone_id = searched_projection.backbone_id AND p.active);
END
$$;
