-- Attaches the tables of a run as partitions in the caller's transaction, if they are not yet.
CREATE OR REPLACE FUNCTION tagdb_store.attach_factor_run(run integer)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
    found record;
    kind text;
    name text;
    removed bigint[];
BEGIN
    LOCK TABLE tagdb_store.factor_runs IN SHARE ROW EXCLUSIVE MODE;
    SELECT r.status, r.pruned_at INTO found FROM tagdb_store.factor_runs r WHERE r.factor_run_id = run;
    IF found.status IS NULL THEN
        PERFORM tagdb_store.refuse('there is no factor run ' || coalesce(run::text, 'NULL'));
    ELSIF found.status IN ('building', 'failed') THEN
        PERFORM tagdb_store.refuse('factor run ' || run || CASE found.status
            WHEN 'building' THEN ' is still being computed' ELSE ' failed' END);
    ELSIF found.pruned_at IS NOT NULL THEN
        PERFORM tagdb_store.refuse('the factors of run ' || run || ' were pruned');
    END IF;
    FOREACH kind IN ARRAY ARRAY['image_factors', 'hashtag_factors'] LOOP
        name := kind || '_' || run;
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i
                       WHERE i.inhrelid = format('tagdb_store.%I', name)::regclass) THEN
            IF kind = 'image_factors' THEN -- of images removed since they were computed; see remove_images
                EXECUTE format('SELECT ARRAY(SELECT f.image_id FROM tagdb_store.%I f'
                               ' EXCEPT SELECT i.image_id FROM tagdb_store.images i)', name) INTO removed;
                EXECUTE format('DELETE FROM tagdb_store.%I f WHERE f.image_id = ANY ($1)', name) USING removed;
            END IF;
            EXECUTE format('ALTER TABLE tagdb_store.%I ATTACH PARTITION tagdb_store.%I FOR VALUES IN (%s)',
                           kind, name, run);
            EXECUTE format('ALTER TABLE tagdb_store.%I DROP CONSTRAINT of_run', name);
            EXECUTE format('ANALYZE tagdb_store.%I', name);
        END IF;
    END LOOP;
END
$$;
