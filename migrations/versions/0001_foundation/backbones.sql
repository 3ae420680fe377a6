-- A backbone is the network that turns pixels into an embedding. Vectors of two backbones are never
-- compared; recommending searches those of the active one.
CREATE TABLE tagdb_store.backbones (
    backbone_id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT backbones_pkey PRIMARY KEY,
    name text NOT NULL,
    input_size integer NOT NULL CONSTRAINT backbones_input_size_positive CHECK (input_size > 0),
    weights_sha256 bytea NOT NULL CONSTRAINT backbones_weights_sha256_size CHECK (octet_length(weights_sha256) = 32),
    bits integer NOT NULL CONSTRAINT backbones_bits_possible CHECK (bits IN (8, 32)), -- what it computes with
    active boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- How thorough a search for 50 neighbours is: `tagdb index check` measures what these settings find, and
    -- changes them. More of either find more of the true neighbours and take longer.
    candidates integer NOT NULL DEFAULT 200 -- images found by the index and ranked by their embeddings
        CONSTRAINT backbones_candidates_positive CHECK (candidates > 0),
    ef_search integer NOT NULL DEFAULT 200 -- size of the candidate list of an index search; see candidates()
        CONSTRAINT backbones_ef_search_possible CHECK (ef_search BETWEEN 1 AND 1000),
    CONSTRAINT backbones_identity UNIQUE (input_size, weights_sha256)
);
CREATE UNIQUE INDEX backbones_one_active ON tagdb_store.backbones (active) WHERE active;
