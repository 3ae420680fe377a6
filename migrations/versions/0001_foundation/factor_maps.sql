-- What folding images and hashtags into a run needs besides its factors: float32 for Python, little-endian,
-- row by row. No SQL function reads it.
CREATE TABLE tagdb_store.factor_maps (
    factor_run_id integer
        CONSTRAINT factor_maps_pkey PRIMARY KEY
        CONSTRAINT factor_maps_factor_run_id_fkey REFERENCES tagdb_store.factor_runs (factor_run_id)
            ON DELETE CASCADE,
    image_gram bytea NOT NULL, -- (factors × factors) the sum of f·fᵀ over the factors f of every image
    weighting jsonb NOT NULL, -- what the weight of an interaction depends on besides itself
    ridge bytea, -- the mean embedding, the mean factors, (1280 × factors) from the one to the other
    -- The backbone whose embeddings `ridge` predicts factors from: those of another one mean something else.
    -- Without it (NULL: that backbone was dropped) images are folded in by their hashtags alone.
    backbone_id integer CONSTRAINT factor_maps_backbone_id_fkey
        REFERENCES tagdb_store.backbones (backbone_id) ON DELETE SET NULL
);
