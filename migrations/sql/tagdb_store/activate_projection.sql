-- Activates a projection, so that searches of its backbone use it. It has all images already: it was attached, which lets
-- every batch add to it, and then those that came in between were added. So this takes a moment, however many there are.
CREATE OR REPLACE FUNCTION tagdb_store.activate_projection(projection integer, build_seconds double precision)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
    backbone integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('tagdb search vectors'));
    SELECT p.backbone_id INTO backbone FROM tagdb_store.projections p WHERE p.projection_id = projection;
    UPDATE tagdb_store.projections p SET active = false, attached = false
    WHERE p.backbone_id = backbone AND p.active AND p.projection_id <> projection;
    UPDATE tagdb_store.projections p
    SET active = true, build_seconds = activate_projection.build_seconds
    WHERE p.projection_id = projection AND p.attached;
    IF NOT FOUND THEN
        PERFORM tagdb_store.refuse('projection ' || coalesce(projection::text, 'NULL') || ' is not attached');
    END IF;
END
$$;
