-- The axes of a projection: a search vector holds an embedding's inner products with them.
CREATE TABLE tagdb_store.projection_axes (
    projection_id integer NOT NULL CONSTRAINT projection_axes_projection_id_fkey
        REFERENCES tagdb_store.projections (projection_id) ON DELETE CASCADE,
    axis integer NOT NULL,
    direction halfvec(1280) NOT NULL,
    CONSTRAINT projection_axes_pkey PRIMARY KEY (projection_id, axis)
);
ALTER TABLE tagdb_store.projection_axes ALTER COLUMN direction SET STORAGE PLAIN;
