-- What folding images and hashtags into a run needs besides its factors: numbers for Python, float32,
-- little-endian, row by row. No function of SQL reads them.
CREATE TABLE tagdb_store.factor_maps (
    factor_run_id integer
        CONSTRAINT factor_maps_pkey PRIMARY KEY
        CONSTRAINT factor_maps_factor_run_id_fkey REFERENCES tagdb_store.factor_runs (factor_run_id)
            ON DELETE CASCADE,
    image_gram bytea NOT NULL, -- (factors × factors) the sum of f·fᵀ over the factors f of every image
    weighting jsonb NOT NULL, -- what the weight of an interaction depends on besides itself
    ridge bytea -- the mean embedding, the mean factors, (1280 × factors) from the one to the other
);
