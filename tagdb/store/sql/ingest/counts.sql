-- What an ingest run has done so far.
SELECT r.images_new AS new, r.images_known AS known, r.images_updated AS updated,
       r.images_differing AS differing, r.rejected
FROM tagdb_store.ingest_runs r
WHERE r.ingest_run_id = %(ingest_run_id)s
