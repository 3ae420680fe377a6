-- A backbone is the network that turns pixels into an embedding. Vectors of two backbones are
-- never compared; the active one is what recommending searches.
CREATE TABLE tagdb_store.backbones (
    backbone_id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT backbones_pkey PRIMARY KEY,
    name text NOT NULL,
    input_size integer NOT NULL CONSTRAINT backbones_input_size_positive CHECK (input_size > 0),
    weights_sha256 bytea NOT NULL CONSTRAINT backbones_weights_sha256_size CHECK (octet_length(weights_sha256) = 32),
    active boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT backbones_identity UNIQUE (input_size, weights_sha256)
);
CREATE UNIQUE INDEX backbones_one_active ON tagdb_store.backbones (active) WHERE active;
