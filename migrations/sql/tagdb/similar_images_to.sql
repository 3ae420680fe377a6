-- The stored images most similar to a stored image, without itself.
CREATE OR REPLACE FUNCTION tagdb.similar_images_to(image_id bigint, top integer DEFAULT 10)
RETURNS TABLE (rank integer, image_id bigint, uri text, similarity double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10 COST 10000 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT s.rank, s.image_id, s.uri, s.similarity
    FROM (SELECT tagdb_store.embedding_of($1) AS embedding OFFSET 0) e
    CROSS JOIN LATERAL tagdb_store.similar(e.embedding, $1, top) s
    WHERE e.embedding IS NOT NULL;
END;
COMMENT ON FUNCTION tagdb.similar_images_to IS
    'The stored images most similar to a stored image, without itself. No rows if the image is unknown '
    'or has no embedding.';
