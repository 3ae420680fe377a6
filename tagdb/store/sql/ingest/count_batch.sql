-- Adds a batch to an ingest run's counts; no row where this batch was added before. Whoever adds it at the
-- same moment is waited for.
UPDATE tagdb_store.ingest_runs
SET images_new = images_new + %(new)s,
    images_known = images_known + %(known)s,
    images_updated = images_updated + %(updated)s,
    images_differing = images_differing + %(differing)s,
    rejected = rejected + %(rejected)s,
    batches = batches + 1
WHERE ingest_run_id = %(ingest_run_id)s AND (%(batch)s::integer IS NULL OR batches = %(batch)s)
RETURNING batches
