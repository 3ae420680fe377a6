-- The images with factors in a run that are nearest to an embedding by cosine distance, and their weights
-- in the average: similarity^exponent, all weights adding up to 1. NULL for `neighbours` means the run's
-- number; NULL for `collection` means all images.
--
-- With a vector index, its candidates are ranked by embedding; without one, or if it gave too few, all embeddings are
-- compared. Where few images can be neighbours, in a small collection or a run with few images, the candidates come
-- from the search vectors of all those, because the index would be searched nearly to its end.
CREATE OR REPLACE FUNCTION tagdb_store.neighbours(
    run integer, query halfvec, itself bigint, neighbours integer, collection text)
RETURNS TABLE (image_id bigint, similarity double precision, weight double precision, factors halfvec)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 50 COST 10000
SET search_path = pg_catalog, pg_temp
SET jit = off
SET plan_cache_mode = force_generic_plan
BEGIN ATOMIC
    WITH settings AS MATERIALIZED (
        SELECT s.exponent, s.neighbours, s.few, b.backbone_id, p.projection_id,
               ceil(b.candidates * greatest(s.neighbours, 50) / 50.0)::integer AS candidates
        FROM (
            SELECT r.similarity_exponent AS exponent,
                   coalesce(neighbours.neighbours, r.neighbours) AS neighbours,
                   CASE
                       WHEN neighbours.collection IS NOT NULL THEN 5000 >= (
                           SELECT count(*)
                           FROM (SELECT FROM tagdb_store.images i WHERE i.collection = neighbours.collection
                                 LIMIT 5001) n)
                       WHEN r.images <= 1000 THEN tagdb_store.has_few_factors(run)
                       ELSE false
                   END AS few
            FROM tagdb_store.factor_runs r
            WHERE r.factor_run_id = run
        ) s
        CROSS JOIN tagdb_store.backbones b
        LEFT JOIN tagdb_store.projections p ON p.backbone_id = b.backbone_id AND p.active
        WHERE b.active
    ), nearest AS MATERIALIZED (
        SELECT c.image_id, c.distance, c.factors
        FROM settings s
        CROSS JOIN LATERAL (
            SELECT n.image_id, n.distance, n.factors
            FROM tagdb_store.candidates(
                s.projection_id, s.backbone_id, query, itself, run, neighbours.collection, s.candidates) n
            WHERE NOT s.few
            UNION ALL
            SELECT n.image_id, n.distance, n.factors
            FROM tagdb_store.candidates_among(
                s.projection_id, s.backbone_id, query, itself, run, neighbours.collection, s.candidates) n
            WHERE s.few
        ) c
        WHERE s.projection_id IS NOT NULL
        ORDER BY c.distance
        LIMIT (SELECT settings.neighbours FROM settings)
    ), found AS MATERIALIZED (
        SELECT n.image_id, 1 - nullif(n.distance, 'NaN') AS similarity, n.factors
        FROM nearest n
        WHERE (SELECT count(*) FROM nearest) >= (SELECT settings.neighbours FROM settings)
        UNION ALL
        SELECT x.image_id, 1 - nullif(x.distance, 'NaN'), x.factors
        FROM settings s
        CROSS JOIN LATERAL tagdb_store.exact_neighbours(
            s.backbone_id, query, itself, run, neighbours.collection, s.neighbours) x
        WHERE (SELECT count(*) FROM nearest) < s.neighbours
    ), weighted AS (
        -- In units of the nearest one's weight, and 0 below e^-60 of that: numbers
        -- too small for their type are errors in PostgreSQL and pgvector.
        SELECT s.image_id, s.similarity, s.factors, CASE
            WHEN s.similarity IS NULL THEN 0
            WHEN s.exponent = 0 THEN 1
            WHEN s.similarity <= 0 THEN 0
            WHEN s.exponent * ln(s.similarity / s.best) < -60 THEN 0
            ELSE power(s.similarity / s.best, s.exponent)
        END AS weight
        FROM (
            SELECT n.image_id, n.similarity, n.factors, max(n.similarity) OVER () AS best,
                   (SELECT settings.exponent FROM settings) AS exponent
            FROM found n
        ) s
    )
    SELECT w.image_id, w.similarity, w.weight / nullif(sum(w.weight) OVER (), 0), w.factors
    FROM weighted w;
END;
