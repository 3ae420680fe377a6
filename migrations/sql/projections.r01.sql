-- A projection makes the search vectors of a backbone's embeddings: far fewer numbers, in which the
-- same images are near. Searching finds candidates by search vector and ranks those by embedding.
-- It is learned from the embeddings that there are when the vector index is built; building it anew
-- makes another one. One for each backbone is active at most: there, searching uses the index.
CREATE TABLE tagdb_store.projections (
    projection_id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT projections_pkey PRIMARY KEY,
    backbone_id integer NOT NULL
        CONSTRAINT projections_backbone_id_fkey REFERENCES tagdb_store.backbones (backbone_id),
    active boolean NOT NULL DEFAULT false,
    learned_from integer NOT NULL,
    kept double precision NOT NULL,
    build_seconds double precision,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX projections_one_active ON tagdb_store.projections (backbone_id) WHERE active;
-- The axes of a projection: a search vector is an embedding's inner products with them.
CREATE TABLE tagdb_store.projection_axes (
    projection_id integer NOT NULL CONSTRAINT projection_axes_projection_id_fkey
        REFERENCES tagdb_store.projections (projection_id) ON DELETE CASCADE,
    axis integer NOT NULL,
    direction halfvec(1280) NOT NULL,
    CONSTRAINT projection_axes_pkey PRIMARY KEY (projection_id, axis)
);
ALTER TABLE tagdb_store.projection_axes ALTER COLUMN direction SET STORAGE PLAIN;
