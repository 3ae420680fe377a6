-- Drops a backbone that is not active, with its embeddings and search vectors. Returns false if it is still
-- in use: by a reading transaction, by one with a snapshot from when it was active (REPEATABLE READ, a
-- backup), or by a command that fills it or builds its vector index.
--
-- Dropping a partition briefly needs an exclusive lock on its parent, and waiting for that blocks readers.
-- So the caller sets a short lock_timeout and tries again. Parents are locked in the order in which
-- recommending reads them, which avoids deadlocks.
CREATE OR REPLACE FUNCTION tagdb_store.drop_backbone(backbone integer)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
    found_one record;
    projection integer;
BEGIN
    LOCK TABLE tagdb_store.backbones IN SHARE ROW EXCLUSIVE MODE;
    SELECT b.active, b.xmin AS changed INTO found_one FROM tagdb_store.backbones b WHERE b.backbone_id = backbone;
    IF NOT FOUND THEN
        PERFORM tagdb_store.refuse('there is no backbone ' || coalesce(backbone::text, 'NULL'));
    ELSIF found_one.active THEN
        PERFORM tagdb_store.refuse('backbone ' || backbone || ' is active');
    END IF;
    IF NOT pg_try_advisory_xact_lock(hashtext('tagdb backbone'), backbone) THEN
        RETURN false;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_stat_activity a
               WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
                 AND age(a.backend_xmin) >= age(found_one.changed)) THEN
        RETURN false;
    END IF;
    FOR projection IN SELECT p.projection_id FROM tagdb_store.projections p WHERE p.backbone_id = backbone LOOP
        IF NOT pg_try_advisory_xact_lock(hashtext('tagdb projection'), projection) THEN
            RETURN false;
        END IF;
    END LOOP;
    LOCK TABLE ONLY tagdb_store.embeddings IN ACCESS EXCLUSIVE MODE;
    LOCK TABLE ONLY tagdb_store.search_vectors IN ACCESS EXCLUSIVE MODE;
    FOR projection IN SELECT p.projection_id FROM tagdb_store.projections p WHERE p.backbone_id = backbone LOOP
        EXECUTE format('DROP TABLE IF EXISTS tagdb_store.%I', 'search_vectors_' || projection);
        DELETE FROM tagdb_store.projections p WHERE p.projection_id = projection;
    END LOOP;
    EXECUTE format('DROP TABLE tagdb_store.%I', 'embeddings_' || backbone);
    DELETE FROM tagdb_store.backbones b WHERE b.backbone_id = backbone;
    RETURN true;
END
$$;
