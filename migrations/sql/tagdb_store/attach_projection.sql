-- Attaches the table of a projection as a partition in the caller's transaction, and waits for batches that are being
-- stored: each one after it adds its search vectors to this one, too. Those of images that came since the table was
-- filled are still missing. Use a separate transaction before activate_projection.
CREATE OR REPLACE FUNCTION tagdb_store.attach_projection(projection integer)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
    name text := 'search_vectors_' || projection;
    removed bigint[];
BEGIN
    -- Images removed in the meantime would be refused, so wait for who is removing some. Attaching takes the same lock.
    LOCK TABLE tagdb_store.images IN SHARE ROW EXCLUSIVE MODE;
    EXECUTE format('SELECT ARRAY(SELECT v.image_id FROM tagdb_store.%I v EXCEPT SELECT i.image_id FROM tagdb_store.images i)',
                   name) INTO removed;
    EXECUTE format('DELETE FROM tagdb_store.%I v WHERE v.image_id = ANY ($1)', name) USING removed;
    EXECUTE format('ALTER TABLE tagdb_store.search_vectors ATTACH PARTITION tagdb_store.%I FOR VALUES IN (%s)',
                   name, projection);
    EXECUTE format('ALTER TABLE tagdb_store.%I DROP CONSTRAINT of_projection', name);
    PERFORM pg_advisory_xact_lock(hashtext('tagdb search vectors'));
    UPDATE tagdb_store.projections p SET attached = true WHERE p.projection_id = projection;
    EXECUTE format('ANALYZE tagdb_store.%I (projection_id, image_id)', name);
END
$$;
