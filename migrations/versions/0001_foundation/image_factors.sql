-- ALS factors of a run's images. One partition for each run, so that pruning a run drops a table. The
-- number of factors differs from run to run. No foreign key: a run is written all at once, and checking
-- every row would take longer than computing it.
CREATE TABLE tagdb_store.image_factors (
    factor_run_id integer NOT NULL,
    image_id bigint NOT NULL,
    factors halfvec NOT NULL,
    folded_in boolean NOT NULL DEFAULT false, -- computed by an ingest from the run's hashtag factors
    CONSTRAINT image_factors_pkey PRIMARY KEY (factor_run_id, image_id)
) PARTITION BY LIST (factor_run_id);
ALTER TABLE tagdb_store.image_factors ALTER COLUMN factors SET STORAGE MAIN;
-- Few are folded in; counting them uses this index.
CREATE INDEX image_factors_folded_in ON tagdb_store.image_factors (factor_run_id) WHERE folded_in;
