-- The projections of a backbone that have to have every image: the one in use, and one that is about to be. They stay until
-- the caller's transaction ends, so a batch adds its search vectors to the right ones.
CREATE OR REPLACE FUNCTION tagdb_store.attached_projections(backbone_id integer)
RETURNS integer[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('tagdb search vectors'));
    RETURN (SELECT coalesce(array_agg(p.projection_id ORDER BY p.projection_id), '{}')
            FROM tagdb_store.projections p
            WHERE p.backbone_id = attached_projections.backbone_id AND p.attached);
END
$$;
