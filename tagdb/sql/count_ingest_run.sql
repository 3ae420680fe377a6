-- Adds a batch to an ingest run's counts.
UPDATE tagdb_store.ingest_runs
SET images_new = images_new + %(new)s,
    images_known = images_known + %(known)s,
    images_updated = images_updated + %(updated)s,
    rejected = rejected + %(rejected)s
WHERE ingest_run_id = %(ingest_run_id)s
