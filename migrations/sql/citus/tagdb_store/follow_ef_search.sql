-- As on one machine, for the databases of all workers: connections that they open from then on walk the index so far. The other
-- settings are those that candidates has on one machine.
CREATE OR REPLACE FUNCTION tagdb_store.follow_ef_search()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
SET jit = off
AS $$
DECLARE
    setting text;
BEGIN
    FOREACH setting IN ARRAY ARRAY[
        'hnsw.ef_search = ' || NEW.ef_search, 'hnsw.iterative_scan = relaxed_order',
        'hnsw.max_scan_tuples = 2147483647', 'hnsw.scan_mem_multiplier = 64']
    LOOP
        EXECUTE format('ALTER DATABASE %I SET %s', current_database(), setting); -- which Citus repeats on the workers
    END LOOP;
    RETURN NULL;
END
$$;
