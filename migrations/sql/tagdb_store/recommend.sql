-- The algorithm: neighbours by cosine distance, the weighted average of their image factors, the dot
-- product of that average with every hashtag's factors, the best hashtags. `run` NULL means the active one.
--
-- Steering: known hashtags move the average towards them (known_blend); popularity discount and minimum
-- score apply before the cut (best_hashtags); diversity chooses among ten times as many hashtags as
-- requested, from a hundred to a thousand (diverse_hashtags). The score is the dot product, raised by the
-- discount for rare hashtags, so that the answer is ordered by it unless diversity is asked for. Hashtags
-- rejected for a stored image are not offered for it again.
--
-- In a small collection, an eighth of the time went into calling functions and planning for nothing: so the
-- checks of arguments are inlined, hashtags are looked up only if there are any, and the plan is kept.
CREATE OR REPLACE FUNCTION tagdb_store.recommend(
    run integer, query halfvec, itself bigint, top integer, neighbours integer, known text[],
    exclude text[], known_weight double precision, diversity double precision,
    popularity_discount double precision, min_score double precision, collection text)
RETURNS TABLE (rank integer, hashtag text, score double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10 COST 20000
SET search_path = pg_catalog, pg_temp
SET jit = off
SET plan_cache_mode = force_generic_plan
BEGIN ATOMIC
    WITH asked AS MATERIALIZED (
        SELECT coalesce(recommend.run, tagdb_store.active_run()) AS run,
               tagdb_store.at_least_one('top', coalesce(recommend.top, 10)) AS top,
               CASE WHEN cardinality(known || exclude) > 0 THEN tagdb_store.counting_as(known || exclude)
                    ELSE '{}' END || ARRAY(
                   SELECT v.hashtag_id FROM tagdb_store.verdicts v
                   WHERE v.image_id = itself AND NOT v.accepted) AS unwanted,
               CASE WHEN cardinality(known) > 0 THEN tagdb_store.counting_as(known) ELSE '{}' END AS known,
               tagdb_store.within('known_weight', coalesce(recommend.known_weight, 0.5), 0, 1) AS known_weight,
               tagdb_store.within('diversity', coalesce(recommend.diversity, 0), 0, 1) AS diversity,
               tagdb_store.within('popularity_discount', coalesce(recommend.popularity_discount, 0), 0, 1)
                   AS popularity_discount,
               tagdb_store.within('min_score', recommend.min_score, '-Infinity', 'Infinity') AS min_score
    ), average AS MATERIALIZED (
        -- pgvector multiplies element by element, so a weight becomes a vector of equal numbers.
        SELECT sum(n.factors::vector
                   * array_fill(n.weight::real, ARRAY[vector_dims(n.factors)])::vector)::halfvec AS factors
        FROM asked a
        CROSS JOIN LATERAL tagdb_store.neighbours(
            a.run, tagdb_store.checked_embedding(query), itself,
            tagdb_store.at_least_one('neighbours', recommend.neighbours), recommend.collection) n
        WHERE n.weight > 0
    ), led AS MATERIALIZED (
        SELECT CASE WHEN cardinality(a.known) > 0 AND a.known_weight > 0
                    THEN tagdb_store.known_blend(a.run, m.factors, a.known, a.known_weight)
                    ELSE m.factors END AS factors
        FROM asked a
        CROSS JOIN average m
    ), found AS MATERIALIZED (
        SELECT b.rank, b.hashtag_id, b.hashtag, b.score
        FROM asked a
        CROSS JOIN led l
        CROSS JOIN LATERAL tagdb_store.best_hashtags(
            a.run, l.factors, false, a.unwanted,
            CASE WHEN a.diversity > 0 THEN greatest(a.top, least(10 * a.top::bigint, 1000), 100)::integer
                 ELSE a.top END,
            a.popularity_discount, a.min_score) b
        WHERE l.factors IS NOT NULL
    )
    SELECT f.rank, f.hashtag, f.score
    FROM found f
    WHERE (SELECT a.diversity FROM asked a) = 0
    UNION ALL
    SELECT d.rank::integer, f.hashtag, f.score
    FROM (
        SELECT tagdb_store.diverse_hashtags(
            (SELECT a.run FROM asked a), array_agg(f.hashtag_id ORDER BY f.rank),
            array_agg(f.score ORDER BY f.rank), (SELECT a.diversity FROM asked a),
            (SELECT a.top FROM asked a)) AS places
        FROM found f
        WHERE (SELECT a.diversity FROM asked a) > 0
    ) chosen
    CROSS JOIN LATERAL unnest(chosen.places) WITH ORDINALITY AS d (place, rank)
    JOIN found f ON f.rank = d.place
    ORDER BY 1;
END;
