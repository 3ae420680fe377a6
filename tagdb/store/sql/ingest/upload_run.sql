-- The ingest run of today's uploads.
SELECT r.ingest_run_id
FROM tagdb_store.ingest_runs r
WHERE r.sources = ARRAY[%(source)s] AND r.started_at >= date_trunc('day', clock_timestamp(), 'UTC')
ORDER BY r.ingest_run_id
LIMIT 1
