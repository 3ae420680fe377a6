-- A projection turns a backbone's embeddings into search vectors: far fewer numbers, with the same images
-- near each other. A search finds candidates by search vector and ranks those by embedding.
-- A projection is learned from the embeddings that are stored when the vector index is built; rebuilding the
-- index makes another one. At most one is active for each backbone; only then do searches use the index.
CREATE TABLE tagdb_store.projections (
    projection_id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT projections_pkey PRIMARY KEY,
    backbone_id integer NOT NULL
        CONSTRAINT projections_backbone_id_fkey REFERENCES tagdb_store.backbones (backbone_id),
    active boolean NOT NULL DEFAULT false,
    attached boolean NOT NULL DEFAULT false, -- batches add to its search vectors
    learned_from integer NOT NULL,
    kept double precision NOT NULL,
    build_seconds double precision,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX projections_one_active ON tagdb_store.projections (backbone_id) WHERE active;
