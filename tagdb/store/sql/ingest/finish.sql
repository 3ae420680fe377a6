-- The end of an ingest, with its counts: what is compared at the end may have changed them.
UPDATE tagdb_store.ingest_runs
SET finished_at = clock_timestamp(),
    images_known = coalesce(%(known)s, images_known),
    images_updated = coalesce(%(updated)s, images_updated),
    images_differing = coalesce(%(differing)s, images_differing)
WHERE ingest_run_id = %(ingest_run_id)s
