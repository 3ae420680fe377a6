-- One row per `tagdb factors compute`: its input, its result, and how it is used. building → ready → active
-- → retired, or building → failed. At most one run is active.
CREATE TABLE tagdb_store.factor_runs (
    factor_run_id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT factor_runs_pkey PRIMARY KEY,
    status text NOT NULL DEFAULT 'building'
        CONSTRAINT factor_runs_status CHECK (status IN ('building', 'ready', 'active', 'retired', 'failed')),
    factors integer NOT NULL CONSTRAINT factor_runs_factors_range CHECK (factors BETWEEN 1 AND 4000),
    alpha double precision NOT NULL,
    regularization double precision NOT NULL,
    iterations integer NOT NULL,
    min_images integer NOT NULL,
    seed bigint NOT NULL,
    neighbours integer NOT NULL CONSTRAINT factor_runs_neighbours_positive CHECK (neighbours > 0),
    contrast double precision NOT NULL DEFAULT 0
        CONSTRAINT factor_runs_contrast_range CHECK (contrast BETWEEN 0 AND 100),
    similarity_exponent double precision NOT NULL
        CONSTRAINT factor_runs_similarity_exponent_range CHECK (similarity_exponent BETWEEN 0 AND 1000),
    images integer NOT NULL DEFAULT 0,
    hashtags integer NOT NULL DEFAULT 0,
    interactions bigint NOT NULL DEFAULT 0,
    seconds double precision,
    versions jsonb NOT NULL DEFAULT '{}',
    metrics jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    activated_at timestamptz,
    weighting text NOT NULL DEFAULT 'none'
        CONSTRAINT factor_runs_weighting CHECK (weighting IN ('none', 'bm25', 'tfidf')),
    accepted_weight double precision NOT NULL DEFAULT 1,
    min_hashtags integer NOT NULL DEFAULT 1,
    ridge double precision NOT NULL DEFAULT 0,
    ridge_penalty double precision NOT NULL DEFAULT 1,
    refit_penalty double precision NOT NULL DEFAULT 0,
    pruned_at timestamptz,
    sample double precision NOT NULL DEFAULT 0 CONSTRAINT factor_runs_sample_range CHECK (sample >= 0),
    asked jsonb NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX factor_runs_one_active ON tagdb_store.factor_runs (status) WHERE status = 'active';
