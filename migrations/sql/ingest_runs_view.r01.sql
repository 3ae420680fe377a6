-- Every ingest and what it did.
CREATE VIEW tagdb.ingest_runs AS
SELECT r.ingest_run_id, r.sources, r.started_at, r.finished_at, r.images_new, r.images_known,
       r.images_updated, r.rejected
FROM tagdb_store.ingest_runs r;
COMMENT ON VIEW tagdb.ingest_runs IS 'One row for each ingest. finished_at is NULL while it runs, or if it was interrupted.';
