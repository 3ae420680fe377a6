-- Numbers of the workers that live. The session of one that was killed is gone, and its lock with it.
CREATE OR REPLACE FUNCTION tagdb_store.live_workers()
RETURNS SETOF integer
LANGUAGE sql STABLE PARALLEL SAFE ROWS 5
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT l.objid::bigint::integer
    FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
      AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
      AND l.classid::bigint = hashtext('tagdb worker')::bigint & 4294967295;
END;
