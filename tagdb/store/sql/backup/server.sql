-- What a backup says of the server, and names its snapshot.
SELECT current_setting('server_version') AS postgresql, e.extversion AS pgvector, n.nspname AS vector_schema,
       pg_export_snapshot() AS snapshot
FROM pg_extension e
JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'vector'
