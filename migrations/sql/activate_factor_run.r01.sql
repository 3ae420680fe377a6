-- Makes a run the one that recommending uses, in the caller's transaction: its tables become
-- partitions if they are not yet, and the run before it retires. Readers see the old run until
-- this commits and the new one after it.
CREATE FUNCTION tagdb_store.activate_factor_run(run integer)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kind text;
    name text;
BEGIN
    LOCK TABLE tagdb_store.factor_runs IN SHARE ROW EXCLUSIVE MODE;
    IF NOT EXISTS (SELECT FROM tagdb_store.factor_runs r
                   WHERE r.factor_run_id = run AND r.status IN ('building', 'ready', 'active', 'retired')) THEN
        RAISE EXCEPTION 'factor run % does not exist or failed', run USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOREACH kind IN ARRAY ARRAY['image_factors', 'hashtag_factors'] LOOP
        name := kind || '_' || run;
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i
                       WHERE i.inhrelid = format('tagdb_store.%I', name)::regclass) THEN
            EXECUTE format('ALTER TABLE tagdb_store.%I ATTACH PARTITION tagdb_store.%I FOR VALUES IN (%s)',
                           kind, name, run);
            EXECUTE format('ALTER TABLE tagdb_store.%I DROP CONSTRAINT of_run', name);
            EXECUTE format('ANALYZE tagdb_store.%I', name);
        END IF;
    END LOOP;
    UPDATE tagdb_store.factor_runs SET status = 'retired' WHERE status = 'active' AND factor_run_id <> run;
    UPDATE tagdb_store.factor_runs SET status = 'active', activated_at = clock_timestamp()
    WHERE factor_run_id = run;
END
$$;
