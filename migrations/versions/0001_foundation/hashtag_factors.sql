-- ALS factors of a run's hashtags; see image_factors. The norm is their length: no dot product can exceed
-- the product of both lengths, so that ranking reads the longest first and stops where the rest are too
-- short to be among the best.
CREATE TABLE tagdb_store.hashtag_factors (
    factor_run_id integer NOT NULL,
    hashtag_id integer NOT NULL,
    factors halfvec NOT NULL,
    folded_in boolean NOT NULL DEFAULT false, -- computed by an ingest from the run's image factors
    images integer NOT NULL DEFAULT 0, -- images that carried the hashtag when its factors were computed
    norm real NOT NULL GENERATED ALWAYS AS (l2_norm(factors)) STORED,
    CONSTRAINT hashtag_factors_pkey PRIMARY KEY (factor_run_id, hashtag_id)
) PARTITION BY LIST (factor_run_id);
ALTER TABLE tagdb_store.hashtag_factors ALTER COLUMN factors SET STORAGE MAIN;
CREATE INDEX hashtag_factors_norm ON tagdb_store.hashtag_factors (norm);
