-- Explains the score of a hashtag for an embedding: what each neighbour contributes. The image `itself` is none.
--
-- A neighbour contributes the dot product of its factors with the hashtag's, times its weight. The score is
-- computed from an average rounded to half precision; the rounding error is distributed by weight, so that
-- the contributions add up to the recommended score.
CREATE OR REPLACE FUNCTION tagdb_store.explain(
    query halfvec, itself bigint, hashtag text, neighbours integer)
RETURNS TABLE (rank integer, image_id bigint, uri text, similarity double precision,
               weight double precision, carries boolean, contribution double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 50 COST 20000
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    WITH run AS MATERIALIZED (
        SELECT tagdb_store.active_run() AS id
    ), meant AS MATERIALIZED (
        -- the hashtag and those that count as it
        SELECT h.hashtag_id
        FROM (SELECT tagdb_store.counting_as(ARRAY[explain.hashtag]) AS hashtag_ids) m
        JOIN tagdb_store.hashtags h
          ON h.hashtag_id = ANY (m.hashtag_ids) OR h.alias_of = ANY (m.hashtag_ids)
    ), near AS MATERIALIZED (
        SELECT n.image_id, n.similarity, coalesce(n.weight, 0) AS weight, n.factors
        FROM run
        CROSS JOIN LATERAL tagdb_store.neighbours(
            run.id, tagdb_store.checked_embedding(query), itself,
            tagdb_store.at_least_one('neighbours', explain.neighbours), NULL) n
        WHERE query IS NOT NULL
    ), average AS MATERIALIZED (
        SELECT sum(n.factors::vector
                   * array_fill(n.weight::real, ARRAY[vector_dims(n.factors)])::vector)::halfvec AS factors
        FROM near n
        WHERE n.weight > 0
    ), best AS MATERIALIZED (
        -- of several spellings, the one used for recommending
        SELECT f.factors, -(f.factors <#> a.factors) AS score
        FROM average a
        CROSS JOIN meant m
        JOIN tagdb_store.hashtag_factors f ON f.hashtag_id = m.hashtag_id
        WHERE f.factor_run_id = (SELECT run.id FROM run)
          AND a.factors IS NOT NULL
        ORDER BY f.factors <#> a.factors, f.hashtag_id
        LIMIT 1
    ), added AS (
        SELECT n.image_id, n.similarity, n.weight, b.score, n.weight * -(n.factors <#> b.factors) AS own
        FROM near n
        CROSS JOIN best b
    )
    SELECT (row_number() OVER (ORDER BY a.weight DESC, a.similarity DESC NULLS LAST, a.image_id))::integer,
           a.image_id, i.uri, a.similarity, a.weight,
           EXISTS (SELECT FROM tagdb_store.image_hashtags ih
                   WHERE ih.image_id = a.image_id AND ih.hashtag_id IN (SELECT meant.hashtag_id FROM meant)),
           a.own + a.weight * (a.score - sum(a.own) OVER ())
    FROM added a
    CROSS JOIN LATERAL (
        SELECT x.uri FROM tagdb_store.images x WHERE x.image_id = a.image_id
    ) i
    ORDER BY 1;
END;
COMMENT ON FUNCTION tagdb_store.explain IS 'What each neighbour contributes to a hashtag''s score.';
