-- The search vector per image and projection, of length 1, under an HNSW index by inner product. The index
-- is a fifth of one over embeddings, with the same recall once candidates are ranked exactly. One partition
-- per projection, created by new_projection.
CREATE TABLE tagdb_store.search_vectors (
    projection_id integer NOT NULL,
    image_id bigint NOT NULL
        CONSTRAINT search_vectors_image_id_fkey REFERENCES tagdb_store.images (image_id) ON DELETE CASCADE,
    vector halfvec(192) NOT NULL,
    CONSTRAINT search_vectors_pkey PRIMARY KEY (image_id, projection_id) -- so that an image is removed without a scan
) PARTITION BY LIST (projection_id);
ALTER TABLE tagdb_store.search_vectors ALTER COLUMN vector SET STORAGE PLAIN;
