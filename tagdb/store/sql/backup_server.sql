-- What a backup says of the server, and names its snapshot.
SELECT current_setting('server_version'), e.extversion, n.nspname, pg_export_snapshot()
FROM pg_extension e
JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'vector'
