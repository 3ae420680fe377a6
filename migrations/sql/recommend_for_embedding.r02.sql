-- Recommends hashtags for a picture that need not be stored, by its embedding.
CREATE FUNCTION tagdb.recommend_for_embedding(
    embedding halfvec, top integer DEFAULT 10, neighbours integer DEFAULT NULL,
    known text[] DEFAULT '{}', exclude text[] DEFAULT '{}')
RETURNS TABLE (rank integer, hashtag text, score double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10 COST 20000 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT r.rank, r.hashtag, r.score
    FROM tagdb_store.recommend(embedding, NULL, top, neighbours, known, exclude) r
    WHERE embedding IS NOT NULL;
END;
COMMENT ON FUNCTION tagdb.recommend_for_embedding IS
    'The best hashtags for an embedding of 1280 numbers made by the database''s backbone. neighbours: how many images to average, NULL for the active factor run''s own number. known, exclude: hashtags that are not to be recommended. No rows while there is no active factor run, or for a NULL embedding.';
