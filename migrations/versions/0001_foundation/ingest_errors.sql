-- Rejected inputs of ingests, with reasons. `line` counts from 1 within `origin`.
CREATE TABLE tagdb_store.ingest_errors (
    ingest_error_id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT ingest_errors_pkey PRIMARY KEY,
    ingest_run_id bigint NOT NULL
        CONSTRAINT ingest_errors_ingest_run_id_fkey
        REFERENCES tagdb_store.ingest_runs (ingest_run_id) ON DELETE CASCADE,
    origin text NOT NULL,
    line integer,
    reason text NOT NULL
);
CREATE INDEX ingest_errors_ingest_run_id ON tagdb_store.ingest_errors (ingest_run_id);
