-- The projection that a backbone is searched by, NULL if by none. It stays that until the caller's
-- transaction ends: a batch that adds its search vectors to it has added them to the right one.
CREATE OR REPLACE FUNCTION tagdb_store.searched_projection(backbone_id integer)
RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('tagdb search vectors'));
    RETURN (SELECT p.projection_id FROM tagdb_store.projections p
            WHERE p.backbone_id = searched_projection.backbone_id AND p.active);
END
$$;
