-- The LiteRT file of each backbone, so that whoever uses the database can embed as its images were embedded. In a
-- table of its own: backbones are looked up all the time, and a network is megabytes. The bundled one is not in here,
-- as every installation has it.
CREATE TABLE tagdb_store.networks (
    backbone_id integer CONSTRAINT networks_pkey PRIMARY KEY
        CONSTRAINT networks_backbone_id_fkey REFERENCES tagdb_store.backbones ON DELETE CASCADE,
    network bytea NOT NULL,
    sha256 bytea NOT NULL,
    CONSTRAINT networks_sha256_fits CHECK (sha256 = sha256(network)) -- also looked at when a backup is restored
);
-- Numbers of a network hardly get smaller by compression, which would cost time at every reading.
ALTER TABLE tagdb_store.networks ALTER COLUMN network SET STORAGE EXTERNAL;
