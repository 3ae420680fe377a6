-- Factor runs have a life: further settings, and when a run's factors were dropped. A run that was
-- pruned stays on record, because feedback was given to what it recommended.
ALTER TABLE tagdb_store.factor_runs
    ADD COLUMN weighting text NOT NULL DEFAULT 'none'
        CONSTRAINT factor_runs_weighting CHECK (weighting IN ('none', 'bm25', 'tfidf')),
    ADD COLUMN accepted_weight double precision NOT NULL DEFAULT 1,
    ADD COLUMN min_hashtags integer NOT NULL DEFAULT 1,
    ADD COLUMN ridge double precision NOT NULL DEFAULT 0,
    ADD COLUMN ridge_penalty double precision NOT NULL DEFAULT 1,
    ADD COLUMN refit_penalty double precision NOT NULL DEFAULT 0,
    ADD COLUMN pruned_at timestamptz;
-- Factors that an ingest has computed from those of a run, and on how many images a hashtag was then.
ALTER TABLE tagdb_store.image_factors ADD COLUMN folded_in boolean NOT NULL DEFAULT false;
ALTER TABLE tagdb_store.hashtag_factors
    ADD COLUMN folded_in boolean NOT NULL DEFAULT false,
    ADD COLUMN images integer NOT NULL DEFAULT 0;
-- Few are folded in: counting them reads this.
CREATE INDEX image_factors_folded_in ON tagdb_store.image_factors (factor_run_id) WHERE folded_in;
