-- Rejected inputs of ingests, with reasons. `line` counts from 1 within `origin`.
CREATE TABLE tagdb_store.ingest_errors (
    ingest_error_id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT ingest_errors_pkey PRIMARY KEY,
    ingest_run_id bigint NOT NULL
        CONSTRAINT ingest_errors_ingest_run_id_fkey
        REFERENCES tagdb_store.ingest_runs (ingest_run_id) ON DELETE CASCADE,
    origin text NOT NULL,
    line integer,
    reason text NOT NULL,
    reason_code text NOT NULL
        CONSTRAINT ingest_errors_reason_code CHECK (reason_code IN (
            'missing', 'unreadable', 'not_allowed', 'invalid_record', 'invalid_field', 'invalid_hashtag',
            'not_a_photo', 'damaged', 'too_large', 'needs_package', 'failed'
        ))
);
CREATE INDEX ingest_errors_ingest_run_id ON tagdb_store.ingest_errors (ingest_run_id);
