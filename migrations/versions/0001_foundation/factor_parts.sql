-- The parts of a factor run that have been written, while a cluster computes it: see claim_factor_part.
CREATE TABLE tagdb_store.factor_parts (
    factor_run_id integer NOT NULL
        CONSTRAINT factor_parts_factor_run_id_fkey REFERENCES tagdb_store.factor_runs (factor_run_id)
            ON DELETE CASCADE,
    part integer NOT NULL,
    CONSTRAINT factor_parts_pkey PRIMARY KEY (factor_run_id, part)
);
