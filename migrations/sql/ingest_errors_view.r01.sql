-- What could not be ingested, and why.
CREATE VIEW tagdb.ingest_errors AS
SELECT e.ingest_error_id, e.ingest_run_id, r.started_at, e.origin, e.line, e.reason
FROM tagdb_store.ingest_errors e
JOIN tagdb_store.ingest_runs r ON r.ingest_run_id = e.ingest_run_id;
COMMENT ON VIEW tagdb.ingest_errors IS 'Every record or photo that was rejected, with file, line and reason.';
