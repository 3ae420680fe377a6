-- Every ingest and what it did.
CREATE OR REPLACE VIEW tagdb.ingest_runs AS
SELECT r.ingest_run_id, r.sources, array_to_string(r.sources, ', ') AS sources_text, r.started_at, r.finished_at, r.images_new, r.images_known,
       r.images_updated, r.rejected, r.images_differing,
       round(extract(epoch FROM r.finished_at - r.started_at), 1)::double precision AS seconds
FROM tagdb_store.ingest_runs r;
COMMENT ON VIEW tagdb.ingest_runs IS
    'One row per ingest. finished_at is NULL while it runs and if it was interrupted.';
COMMENT ON COLUMN tagdb.ingest_runs.ingest_run_id IS 'Key: the ingest.';
COMMENT ON COLUMN tagdb.ingest_runs.sources IS 'What was ingested: folders, files, or - for standard input.';
COMMENT ON COLUMN tagdb.ingest_runs.sources_text IS 'The same as one text.';
COMMENT ON COLUMN tagdb.ingest_runs.started_at IS 'When it started.';
COMMENT ON COLUMN tagdb.ingest_runs.finished_at IS
    'When it finished; NULL while it runs and if it was interrupted.';
COMMENT ON COLUMN tagdb.ingest_runs.images_new IS 'New images.';
COMMENT ON COLUMN tagdb.ingest_runs.images_known IS 'Known images that were not changed.';
COMMENT ON COLUMN tagdb.ingest_runs.images_updated IS 'Known images that were changed.';
COMMENT ON COLUMN tagdb.ingest_runs.images_differing IS
    'Known images of which the source says something else than is stored, which was kept.';
COMMENT ON COLUMN tagdb.ingest_runs.rejected IS
    'Rejected records, photos and hashtags; see tagdb.ingest_errors.';
COMMENT ON COLUMN tagdb.ingest_runs.seconds IS 'How long it took, in seconds; NULL while it runs and if it was interrupted.';
