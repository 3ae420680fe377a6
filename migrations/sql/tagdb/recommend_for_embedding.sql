-- Recommends hashtags for a photo, which need not be stored, by its embedding.
CREATE OR REPLACE FUNCTION tagdb.recommend_for_embedding(
    embedding halfvec, top integer DEFAULT 10, neighbours integer DEFAULT NULL,
    known text[] DEFAULT '{}', exclude text[] DEFAULT '{}', known_weight double precision DEFAULT NULL,
    diversity double precision DEFAULT NULL, popularity_discount double precision DEFAULT NULL,
    min_score double precision DEFAULT NULL, collection text DEFAULT NULL)
RETURNS TABLE (rank integer, hashtag text, score double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10 COST 20000 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT r.rank, r.hashtag, r.score
    FROM tagdb_store.recommend(
        NULL, embedding, NULL, top, neighbours, known, exclude, known_weight, diversity,
        popularity_discount, min_score, collection) r
    WHERE embedding IS NOT NULL;
END;
COMMENT ON FUNCTION tagdb.recommend_for_embedding IS
    'The best hashtags for an embedding of 1280 numbers by the database''s backbone. neighbours: number'
    ' of images to average (NULL: as in the active factor run). known: hashtags that the photo already '
    'has; they steer towards what goes with them and are not recommended. known_weight: how strongly, '
    'from 0 (not at all) to 1 (NULL: 0.5). exclude: hashtags not to recommend. diversity: from 0 (NULL:'
    ' the best scores) to 1 (as different from each other as possible). popularity_discount: from 0 '
    '(NULL: none) to 1 (as if all hashtags were equally rare); it raises the scores of rare hashtags. '
    'min_score: leave out hashtags with a lower score, before that discount. collection: average only '
    'images of this collection. No rows without an active factor run, or for a NULL embedding.';
