-- The best settings found by `tagdb tune`: the defaults of `tagdb factors compute`.
CREATE TABLE tagdb_store.factor_defaults (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT factor_defaults_one CHECK (one),
    settings jsonb NOT NULL,
    metrics jsonb NOT NULL DEFAULT '{}',
    tuned_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
