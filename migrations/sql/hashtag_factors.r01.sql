-- ALS factors of the hashtags of one run; see image_factors.
CREATE TABLE tagdb_store.hashtag_factors (
    factor_run_id integer NOT NULL,
    hashtag_id integer NOT NULL,
    factors halfvec NOT NULL,
    CONSTRAINT hashtag_factors_pkey PRIMARY KEY (factor_run_id, hashtag_id)
) PARTITION BY LIST (factor_run_id);
ALTER TABLE tagdb_store.hashtag_factors ALTER COLUMN factors SET STORAGE MAIN;
