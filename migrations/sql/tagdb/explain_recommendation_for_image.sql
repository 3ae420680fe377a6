-- Explains the score of a hashtag for a stored image, which is never its own neighbour.
CREATE OR REPLACE FUNCTION tagdb.explain_recommendation_for_image(
    image_id bigint, hashtag text, neighbours integer DEFAULT NULL)
RETURNS TABLE (rank integer, image_id bigint, uri text, similarity double precision,
               weight double precision, carries boolean, contribution double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 50 COST 20000 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT x.rank, x.image_id, x.uri, x.similarity, x.weight, x.carries, x.contribution
    FROM (SELECT tagdb_store.embedding_of(explain_recommendation_for_image.image_id) AS embedding OFFSET 0) e
    CROSS JOIN LATERAL tagdb_store.explain(e.embedding, explain_recommendation_for_image.image_id, hashtag, neighbours) x
    WHERE e.embedding IS NOT NULL;
END;
COMMENT ON FUNCTION tagdb.explain_recommendation_for_image IS
    'Explains the score that tagdb.recommend_for_image gives a hashtag; columns as of tagdb.explain_recommendation. No rows if the image is unknown or has no embedding, or the active factor run does not know the hashtag.';
