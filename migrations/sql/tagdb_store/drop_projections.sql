-- Drops the projections of all backbones that are not active and that nobody is building: those that were
-- replaced, and those left by a killed build. Returns their number.
--
-- Dropping a partition briefly needs an exclusive lock on its parent, and waiting for that blocks readers.
-- So the caller sets a short lock_timeout and tries again. A reader with an older snapshot finds no
-- candidates any more and scans all embeddings: slower, but correct.
CREATE OR REPLACE FUNCTION tagdb_store.drop_projections()
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
    projection integer;
    dropped integer := 0;
BEGIN
    FOR projection IN SELECT p.projection_id FROM tagdb_store.projections p WHERE NOT p.active LOOP
        CONTINUE WHEN NOT pg_try_advisory_xact_lock(hashtext('tagdb projection'), projection);
        -- a batch that knows it still adds to it
        PERFORM pg_advisory_xact_lock(hashtext('tagdb search vectors'));
        EXECUTE format('DROP TABLE IF EXISTS tagdb_store.%I', 'search_vectors_' || projection);
        DELETE FROM tagdb_store.projections p WHERE p.projection_id = projection;
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;
