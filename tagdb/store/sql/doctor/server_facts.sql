-- What a server is and what this database has been through, as far as any login may know.
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num')::integer / 10000 AS major,
       current_database()::text AS database,
       current_user::text AS login,
       pg_backend_pid() AS pid,
       v.default_version AS pgvector_available,
       v.installed_version AS pgvector,
       coalesce((SELECT has_schema_privilege(n.oid, 'USAGE')
                 FROM pg_namespace n WHERE n.nspname = 'tagdb'), false) AS may_read,
       coalesce((SELECT has_schema_privilege(n.oid, 'USAGE')
                        AND bool_and(has_table_privilege(c.oid, 'SELECT'))
                 FROM pg_namespace n
                 JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
                 WHERE n.nspname = 'tagdb_store'
                   AND c.relname <> 'tokens' -- which are nobody's but the owner's
                 GROUP BY n.oid), false) AS may_store,
       pg_has_role('pg_read_all_stats', 'USAGE') AS may_monitor,
       d.stats_reset AS counted_since,
       d.temp_files,
       d.temp_bytes
FROM pg_stat_database d
LEFT JOIN pg_available_extensions v ON v.name = 'vector'
WHERE d.datname = current_database()
