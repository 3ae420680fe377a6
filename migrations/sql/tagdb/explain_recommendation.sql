-- Explains the score of a hashtag for an embedding.
CREATE OR REPLACE FUNCTION tagdb.explain_recommendation(
    embedding halfvec, hashtag text, neighbours integer DEFAULT NULL)
RETURNS TABLE (rank integer, image_id bigint, uri text, similarity double precision,
               weight double precision, carries boolean, contribution double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 50 COST 20000 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT x.rank, x.image_id, x.uri, x.similarity, x.weight, x.carries, x.contribution
    FROM tagdb_store.explain(embedding, NULL, hashtag, neighbours) x;
END;
COMMENT ON FUNCTION tagdb.explain_recommendation IS
    'Explains the score of a hashtag for an embedding: the neighbours, their cosine similarity, their '
    'weight in the average (weights add up to 1), whether they have the hashtag, and what each '
    'contributes. The contributions add up to the score. No rows if the active factor run does not know'
    ' the hashtag.';
