-- One row for each `tagdb factors compute`: what went in, what came out, how it is used.
-- building → ready → active → retired, or building → failed. One run at most is active.
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
    similarity_exponent double precision NOT NULL
        CONSTRAINT factor_runs_similarity_exponent_range CHECK (similarity_exponent BETWEEN 0 AND 1000),
    images integer NOT NULL DEFAULT 0,
    hashtags integer NOT NULL DEFAULT 0,
    interactions bigint NOT NULL DEFAULT 0,
    seconds double precision,
    versions jsonb NOT NULL DEFAULT '{}',
    metrics jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    activated_at timestamptz
);
CREATE UNIQUE INDEX factor_runs_one_active ON tagdb_store.factor_runs (status) WHERE status = 'active';
