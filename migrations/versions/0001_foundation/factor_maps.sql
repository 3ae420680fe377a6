-- What a run needs besides its factors: for folding images and hashtags into it, arrays for Python, float32,
-- little-endian, row by row, which no SQL function reads; for recommending, what similarities are measured off.
CREATE TABLE tagdb_store.factor_maps (
    factor_run_id integer
        CONSTRAINT factor_maps_pkey PRIMARY KEY
        CONSTRAINT factor_maps_factor_run_id_fkey REFERENCES tagdb_store.factor_runs (factor_run_id)
            ON DELETE CASCADE,
    image_gram bytea NOT NULL, -- (factors × factors) sum of f·fᵀ over the factors f of all images
    weighting jsonb NOT NULL, -- parameters of the weight of an interaction
    ridge bytea, -- mean embedding or search vector, mean factors, and the map (numbers of it × factors) between them
    axes bytea, -- (192 × 1280) float16: those of the search vectors that `ridge` takes; NULL: it takes embeddings
    centre halfvec, -- mean embedding of the images that may be neighbours
    spread double precision, -- standard deviation of the similarities off it of all pairs of images
    -- The backbone whose embeddings `ridge` predicts factors from, and whose mean `centre` is: those of another one mean
    -- something else. Without it (NULL: that backbone was dropped) images are folded in by their hashtags alone.
    backbone_id integer CONSTRAINT factor_maps_backbone_id_fkey
        REFERENCES tagdb_store.backbones (backbone_id) ON DELETE SET NULL
);
