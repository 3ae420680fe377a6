-- ALS factors of the images of one run. One partition for each run, so that retiring a run drops
-- a table. The number of factors differs from run to run; no foreign key, because a run is
-- written at once and checking every row would cost more than computing it.
CREATE TABLE tagdb_store.image_factors (
    factor_run_id integer NOT NULL,
    image_id bigint NOT NULL,
    factors halfvec NOT NULL,
    CONSTRAINT image_factors_pkey PRIMARY KEY (factor_run_id, image_id)
) PARTITION BY LIST (factor_run_id);
ALTER TABLE tagdb_store.image_factors ALTER COLUMN factors SET STORAGE MAIN;
