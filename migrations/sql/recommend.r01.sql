-- The algorithm. Neighbours by cosine distance, the average of their image factors weighted by
-- similarity^exponent, the dot product of that average with every hashtag's factors, the best.
--
-- Shape matters more than style here:
-- * The ordered search has no LIMIT of its own: the LIMIT stands after the look-up of factors, so
--   that images without factors are passed over and never take a neighbour's place. The order is
--   asked for again there; a nested loop keeps it, so that nothing is sorted twice. It is by distance
--   alone: before PostgreSQL 17 a second key would keep the index from being used.
-- * LIMIT as a parameter makes the planner expect a tenth of the table and merge-join all factors;
--   with hash and merge joins off, a look-up for each neighbour is the only way left.
-- * It would also rather scan and sort all embeddings than trust the vector index. With sorting off,
--   the index is used wherever there is one; where there is none, sorting is still the only way.
-- * Sub-selects for the active backbone and run let PostgreSQL prune all other partitions.
CREATE FUNCTION tagdb_store.recommend(
    query halfvec, itself bigint, top integer, neighbours integer, known text[], exclude text[])
RETURNS TABLE (rank integer, hashtag text, score double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_sort = off
SET hnsw.ef_search = 100
SET hnsw.iterative_scan = strict_order
BEGIN ATOMIC
    WITH run AS MATERIALIZED (
        SELECT r.factor_run_id, r.factors, r.similarity_exponent,
               coalesce(recommend.neighbours, r.neighbours) AS neighbours
        FROM tagdb_store.factor_runs r
        WHERE r.status = 'active'
    ), nearest AS MATERIALIZED (
        SELECT 1 - nullif(c.distance, 'NaN') AS similarity, f.factors
        FROM (
            SELECT e.image_id, e.embedding <=> query AS distance
            FROM tagdb_store.embeddings e
            WHERE e.backbone_id = (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active)
              AND e.image_id IS DISTINCT FROM itself
            ORDER BY e.embedding <=> query
        ) c
        JOIN tagdb_store.image_factors f
          ON f.factor_run_id = (SELECT run.factor_run_id FROM run) AND f.image_id = c.image_id
        ORDER BY c.distance
        LIMIT (SELECT run.neighbours FROM run)
    ), weighted AS (
        -- In units of the nearest one's weight, and nothing where it is below e^-60 of that: numbers
        -- that are too small for their type are errors to PostgreSQL and to pgvector.
        SELECT s.factors, CASE
            WHEN s.similarity IS NULL THEN 0
            WHEN s.exponent = 0 THEN 1
            WHEN s.similarity <= 0 THEN 0
            WHEN s.exponent * ln(s.similarity / s.best) < -60 THEN 0
            ELSE power(s.similarity / s.best, s.exponent)
        END AS weight
        FROM (
            SELECT n.factors, n.similarity, max(n.similarity) OVER () AS best,
                   (SELECT run.similarity_exponent FROM run) AS exponent
            FROM nearest n
        ) s
    ), average AS MATERIALIZED (
        -- pgvector multiplies element by element, so a weight becomes a vector of that weight.
        SELECT sum(w.factors::vector
                   * array_fill((w.weight / w.total)::real, ARRAY[(SELECT run.factors FROM run)])::vector
               )::halfvec AS factors
        FROM (SELECT weighted.factors, weighted.weight, sum(weighted.weight) OVER () AS total
              FROM weighted) w
        WHERE w.weight > 0
    ), unwanted AS MATERIALIZED (
        SELECT coalesce(array_agg(h.hashtag_id), '{}') AS hashtag_ids
        FROM unnest(known || exclude) AS given (hashtag)
        JOIN tagdb_store.hashtags h ON h.hashtag = tagdb_store.fold_hashtag(given.hashtag)
    ), best AS MATERIALIZED (
        SELECT s.hashtag_id, -s.distance AS score
        FROM (
            SELECT f.hashtag_id, f.factors <#> (SELECT average.factors FROM average) AS distance
            FROM tagdb_store.hashtag_factors f
            WHERE f.factor_run_id = (SELECT run.factor_run_id FROM run)
              AND f.hashtag_id <> ALL ((SELECT unwanted.hashtag_ids FROM unwanted)::integer[])
        ) s
        WHERE s.distance IS NOT NULL
        ORDER BY s.distance, s.hashtag_id
        LIMIT top
    )
    SELECT (row_number() OVER (ORDER BY best.score DESC, best.hashtag_id))::integer, h.hashtag, best.score
    FROM best
    JOIN tagdb_store.hashtags h ON h.hashtag_id = best.hashtag_id
    ORDER BY 1;
END;
