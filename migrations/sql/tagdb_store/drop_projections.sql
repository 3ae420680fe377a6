-- Drops the projections that are not active, of all backbones, unless somebody is building one: those
-- that another has replaced, and what a build that was killed has left. How many.
--
-- Dropping a partition needs its parent for itself for a moment, and who waits for that makes readers
-- wait in turn: the caller sets a short lock_timeout and tries again. A reader with an older snapshot
-- finds no candidates any more, and so looks at all images: slower, and right.
CREATE OR REPLACE FUNCTION tagdb_store.drop_projections()
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    projection integer;
    dropped integer := 0;
BEGIN
    FOR projection IN SELECT p.projection_id FROM tagdb_store.projections p WHERE NOT p.active LOOP
        CONTINUE WHEN NOT pg_try_advisory_xact_lock(hashtext('tagdb projection'), projection);
        EXECUTE format('DROP TABLE IF EXISTS tagdb_store.%I', 'search_vectors_' || projection);
        DELETE FROM tagdb_store.projections p WHERE p.projection_id = projection;
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;
