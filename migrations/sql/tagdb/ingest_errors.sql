-- Rejected inputs of ingests, with reasons.
CREATE OR REPLACE VIEW tagdb.ingest_errors AS
SELECT e.ingest_error_id, e.ingest_run_id, r.started_at, e.origin, e.line, e.reason, e.reason_code
FROM tagdb_store.ingest_errors e
JOIN tagdb_store.ingest_runs r ON r.ingest_run_id = e.ingest_run_id;
COMMENT ON VIEW tagdb.ingest_errors IS 'Every rejected record or photo, with file, line and reason.';
COMMENT ON COLUMN tagdb.ingest_errors.ingest_error_id IS 'Key: the rejection.';
COMMENT ON COLUMN tagdb.ingest_errors.ingest_run_id IS 'Key: the ingest that rejected it.';
COMMENT ON COLUMN tagdb.ingest_errors.started_at IS 'When that ingest started.';
COMMENT ON COLUMN tagdb.ingest_errors.origin IS 'The file: a manifest, or the photo itself.';
COMMENT ON COLUMN tagdb.ingest_errors.line IS 'Do not add up or average: line of the manifest, from 1; NULL for a photo.';
COMMENT ON COLUMN tagdb.ingest_errors.reason IS 'Why it was rejected.';
COMMENT ON COLUMN tagdb.ingest_errors.reason_code IS
    'Why, in a word to group by: missing, unreadable, not_allowed, invalid_record, invalid_field, invalid_hashtag, not_a_photo, damaged, too_large, needs_package or failed.';
