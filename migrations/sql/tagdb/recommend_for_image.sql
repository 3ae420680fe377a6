-- Recommends hashtags for a stored image. The image is never its own neighbour, and hashtags rejected for
-- it are not recommended.
CREATE OR REPLACE FUNCTION tagdb.recommend_for_image(
    image_id bigint, top integer DEFAULT 10, neighbours integer DEFAULT NULL,
    known text[] DEFAULT '{}', exclude text[] DEFAULT '{}', known_weight double precision DEFAULT NULL,
    diversity double precision DEFAULT NULL, popularity_discount double precision DEFAULT NULL,
    min_score double precision DEFAULT NULL, collection text DEFAULT NULL)
RETURNS TABLE (rank integer, hashtag text, score double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10 COST 20000 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT r.rank, r.hashtag, r.score
    FROM (SELECT tagdb_store.embedding_of(recommend_for_image.image_id) AS embedding OFFSET 0) e
    CROSS JOIN LATERAL tagdb_store.recommend(
        NULL, e.embedding, recommend_for_image.image_id, top, neighbours, known, exclude, known_weight, diversity,
        popularity_discount, min_score, collection) r
    WHERE e.embedding IS NOT NULL;
END;
COMMENT ON FUNCTION tagdb.recommend_for_image IS
    'The best hashtags for a stored image, without those that feedback rejected for it. The image is '
    'never its own neighbour. Arguments as for tagdb.recommend_for_embedding. No rows if the image is '
    'unknown or has no embedding.';
