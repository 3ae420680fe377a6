-- The stored images most similar to an embedding.
CREATE OR REPLACE FUNCTION tagdb.similar_images(embedding halfvec, top integer DEFAULT 10)
RETURNS TABLE (rank integer, image_id bigint, uri text, similarity double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10 COST 10000 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT s.rank, s.image_id, s.uri, s.similarity
    FROM tagdb_store.similar(tagdb_store.checked_embedding(embedding), NULL, top) s
    WHERE embedding IS NOT NULL;
END;
COMMENT ON FUNCTION tagdb.similar_images IS
    'The stored images most similar to an embedding of 1280 numbers, by cosine similarity (1: the '
    'same). No rows for a NULL embedding.';
