-- Starts a projection: its row, and a table that is not a partition yet, so that filling it and building
-- its index takes no lock that blocks readers or ingests. The caller adds its axes.
--
-- The session keeps a lock on the projection's number; while it is held, the projection is being built. See
-- drop_projections.
CREATE OR REPLACE FUNCTION tagdb_store.new_projection(backbone_id integer, learned_from integer, kept double precision)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
    projection integer;
BEGIN
    INSERT INTO tagdb_store.projections AS p (backbone_id, learned_from, kept)
    VALUES (new_projection.backbone_id, new_projection.learned_from, new_projection.kept)
    RETURNING p.projection_id INTO projection;
    PERFORM pg_advisory_lock(hashtext('tagdb projection'), projection);
    EXECUTE format(
        'CREATE TABLE tagdb_store.%1$I (LIKE tagdb_store.search_vectors INCLUDING STORAGE INCLUDING DEFAULTS,'
        ' CONSTRAINT of_projection CHECK (projection_id = %2$s))',
        'search_vectors_' || projection, projection);
    EXECUTE format('GRANT SELECT, INSERT ON tagdb_store.%I TO tagdb_writer', 'search_vectors_' || projection);
    PERFORM tagdb_store.spread('search_vectors_' || projection);
    RETURN projection;
END
$$;
