-- One row per `tagdb ingest`. Counts are updated with every batch.
CREATE TABLE tagdb_store.ingest_runs (
    ingest_run_id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT ingest_runs_pkey PRIMARY KEY,
    sources text[] NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    images_new integer NOT NULL DEFAULT 0,
    images_known integer NOT NULL DEFAULT 0,
    images_updated integer NOT NULL DEFAULT 0,
    images_differing integer NOT NULL DEFAULT 0,
    rejected integer NOT NULL DEFAULT 0,
    -- Batches stored. A program whose connection broke while it stored one compares this with its own count
    -- to learn whether the batch was committed.
    batches integer NOT NULL DEFAULT 0
);
