-- What a server is and what this database has been through, as far as any login may know.
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num')::integer / 10000 AS major,
       current_database()::text AS database,
       current_user::text AS login,
       pg_backend_pid() AS pid,
       pg_jit_available() AS jit_available,
       v.default_version AS pgvector_available,
       v.installed_version AS pgvector,
       coalesce((SELECT has_schema_privilege(n.oid, 'USAGE')
                 FROM pg_namespace n WHERE n.nspname = 'tagdb'), false) AS may_read,
       d.stats_reset AS counted_since,
       d.temp_files,
       d.temp_bytes
FROM pg_stat_database d
LEFT JOIN pg_available_extensions v ON v.name = 'vector'
WHERE d.datname = current_database()
