-- Activates a projection, so that searches of its backbone use it. Waits for batches that are being stored
-- and adds images that arrived since its table was filled; from now on, every batch adds its own.
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
    INSERT INTO tagdb_store.search_vectors (projection_id, image_id, vector)
    SELECT projection, e.image_id, tagdb_store.search_vector(projection, e.embedding)
    FROM tagdb_store.embeddings e
    WHERE e.backbone_id = backbone
      AND NOT EXISTS (SELECT FROM tagdb_store.search_vectors v
                      WHERE v.projection_id = projection AND v.image_id = e.image_id);
    UPDATE tagdb_store.projections p SET active = false
    WHERE p.backbone_id = backbone AND p.active AND p.projection_id <> projection;
    UPDATE tagdb_store.projections p
    SET active = true, build_seconds = activate_projection.build_seconds
    WHERE p.projection_id = projection;
END
$$;
