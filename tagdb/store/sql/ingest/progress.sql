-- How far an ingest run is, and when it began, which tells it from a run of another database.
SELECT r.started_at, r.batches
FROM tagdb_store.ingest_runs r
WHERE r.ingest_run_id = %(ingest_run_id)s
