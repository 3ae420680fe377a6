-- How many workers answer requests now: each holds a lock on its number as long as it lives.
CREATE OR REPLACE FUNCTION tagdb.workers()
RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT count(*) FROM tagdb_store.live_workers() w;
END;
COMMENT ON FUNCTION tagdb.workers IS
    'How many workers (tagdb work) answer requests in this database now.';
