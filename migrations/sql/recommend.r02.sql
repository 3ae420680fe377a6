-- The algorithm. Neighbours by cosine distance, the average of their image factors by their weights,
-- the dot product of that average with every hashtag's factors, the best.
CREATE FUNCTION tagdb_store.recommend(
    query halfvec, itself bigint, top integer, neighbours integer, known text[], exclude text[])
RETURNS TABLE (rank integer, hashtag text, score double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10 COST 20000
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH run AS MATERIALIZED (
        SELECT tagdb_store.active_run() AS id
    ), average AS MATERIALIZED (
        -- pgvector multiplies element by element, so a weight becomes a vector of that weight.
        SELECT sum(n.factors::vector
                   * array_fill(n.weight::real, ARRAY[vector_dims(n.factors)])::vector)::halfvec AS factors
        FROM run
        CROSS JOIN LATERAL tagdb_store.neighbours(
            run.id, tagdb_store.checked_embedding(query), itself,
            tagdb_store.at_least_one('neighbours', recommend.neighbours)) n
        WHERE n.weight > 0
    )
    SELECT b.rank, b.hashtag, b.score
    FROM run
    CROSS JOIN average a
    CROSS JOIN LATERAL tagdb_store.best_hashtags(
        run.id, a.factors, false, tagdb_store.counting_as(known || exclude),
        tagdb_store.at_least_one('top', coalesce(recommend.top, 10))) b
    WHERE a.factors IS NOT NULL;
END;
