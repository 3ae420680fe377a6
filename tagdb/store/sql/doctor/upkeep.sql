-- What autovacuum has to do in each table of tagdb's, by the counters.
SELECT c.relname AS name, pg_relation_size(c.oid) AS bytes, c.reltuples < 0 AS never_looked_at,
       coalesce(pg_stat_get_live_tuples(c.oid), 0) AS rows, coalesce(pg_stat_get_dead_tuples(c.oid), 0) AS dead,
       coalesce(pg_stat_get_mod_since_analyze(c.oid), 0) AS changed
FROM pg_class c
WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'tagdb_store') AND c.relkind = 'r'
ORDER BY c.relname
