-- A stored image's embedding, as an array, which any client can read; it can be cast to halfvec.
CREATE OR REPLACE FUNCTION tagdb.embedding(image_id bigint)
RETURNS real[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT tagdb_store.embedding_of(image_id)::real[];
END;
COMMENT ON FUNCTION tagdb.embedding IS
    'The embedding of an image by the active backbone: 1280 numbers, of length 1. NULL if the image is unknown '
    'or has none. For analysts and writers.';
