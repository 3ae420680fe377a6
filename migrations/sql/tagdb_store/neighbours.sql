-- The images with factors in a run that are nearest to an embedding by cosine distance, and their weights
-- in the average: similarity^exponent, all weights adding up to 1. NULL for `neighbours` means the run's
-- number; NULL for `collection` means all images.
--
-- With a vector index, its candidates are ranked by embedding; without one, all embeddings are scanned. Where
-- few images can be neighbours, in a small collection or a run with few images, the candidates come from the
-- search vectors of all those, because the index would be searched nearly to its end. If there are too few
-- candidates, all embeddings are scanned: the index does not reach every image.
--
-- The form of the query matters:
-- * The ordered search has no LIMIT of its own: the LIMIT comes after the look-up of factors, so images
--   without factors are skipped and never take a neighbour's place. The order is requested again there; a
--   nested loop preserves it, so nothing is sorted twice. It is by distance alone: before PostgreSQL 17, a
--   second key would prevent the use of an index.
-- * With LIMIT as a parameter, the planner expects a tenth of the table and merge-joins all factors; with
--   hash and merge joins off, only a look-up per neighbour is left.
-- * Parallel workers would be started for the scan of all images even if it is not needed.
-- * The collection is compared in a subquery that only runs if a collection is given.
-- * A subquery for the active backbone lets PostgreSQL prune all other partitions.
CREATE OR REPLACE FUNCTION tagdb_store.neighbours(
    run integer, query halfvec, itself bigint, neighbours integer, collection text)
RETURNS TABLE (image_id bigint, similarity double precision, weight double precision, factors halfvec)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 50 COST 10000
SET search_path = pg_catalog, pg_temp
SET jit = off
SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_sort = off
SET max_parallel_workers_per_gather = 0
SET hnsw.ef_search = 100
SET hnsw.iterative_scan = strict_order
SET hnsw.max_scan_tuples = 2147483647
SET hnsw.scan_mem_multiplier = 64
BEGIN ATOMIC
    WITH settings AS MATERIALIZED (
        SELECT s.exponent, s.neighbours, s.few, p.projection_id,
               ceil(b.candidates * greatest(s.neighbours, 50) / 50.0)::integer AS candidates
        FROM (
            SELECT r.similarity_exponent AS exponent,
                   coalesce(neighbours.neighbours, r.neighbours) AS neighbours,
                   CASE
                       WHEN neighbours.collection IS NOT NULL THEN 5000 >= (
                           SELECT count(*)
                           FROM (SELECT FROM tagdb_store.images i WHERE i.collection = neighbours.collection
                                 LIMIT 5001) n)
                       -- counted, because others may have been folded in
                       WHEN r.images <= 1000 THEN 1000 >= (
                           SELECT count(*)
                           FROM (SELECT FROM tagdb_store.image_factors f WHERE f.factor_run_id = run
                                 LIMIT 1001) n)
                       ELSE false
                   END AS few
            FROM tagdb_store.factor_runs r
            WHERE r.factor_run_id = run
        ) s
        CROSS JOIN tagdb_store.backbones b
        LEFT JOIN tagdb_store.projections p ON p.backbone_id = b.backbone_id AND p.active
        WHERE b.active
    ), nearest AS MATERIALIZED (
        SELECT c.image_id, 1 - nullif(c.distance, 'NaN') AS similarity, f.factors
        FROM (
            SELECT e.image_id, e.embedding <=> query AS distance
            FROM settings s
            CROSS JOIN LATERAL (
                SELECT n.image_id
                FROM tagdb_store.candidates(
                    s.projection_id, query, itself, run, neighbours.collection, s.candidates) n
                WHERE NOT s.few
                UNION ALL
                SELECT n.image_id
                FROM tagdb_store.candidates_among(
                    s.projection_id, query, itself, run, neighbours.collection, s.candidates) n
                WHERE s.few
            ) c
            JOIN tagdb_store.embeddings e ON e.image_id = c.image_id
            WHERE s.projection_id IS NOT NULL
              AND e.backbone_id = (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active)
            ORDER BY (e.embedding <=> query) + 0
            LIMIT (SELECT settings.neighbours FROM settings)
        ) c
        JOIN tagdb_store.image_factors f ON f.factor_run_id = run AND f.image_id = c.image_id
        UNION ALL
        (SELECT c.image_id, 1 - nullif(c.distance, 'NaN'), f.factors
         FROM (
             SELECT e.image_id, e.embedding <=> query AS distance
             FROM tagdb_store.embeddings e
             WHERE e.backbone_id = (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active)
               AND e.image_id IS DISTINCT FROM itself
               AND (SELECT settings.projection_id IS NULL
                           AND NOT (settings.few AND neighbours.collection IS NOT NULL) FROM settings)
               AND (neighbours.collection IS NULL OR neighbours.collection = (
                     SELECT i.collection FROM tagdb_store.images i WHERE i.image_id = e.image_id))
             ORDER BY e.embedding <=> query
         ) c
         JOIN tagdb_store.image_factors f
           ON f.factor_run_id = run AND f.image_id = c.image_id
         ORDER BY c.distance
         LIMIT (SELECT settings.neighbours FROM settings))
    ), found AS MATERIALIZED (
        SELECT n.image_id, n.similarity, n.factors
        FROM nearest n
        WHERE (SELECT count(*) FROM nearest) >= (SELECT settings.neighbours FROM settings)
        UNION ALL
        (SELECT f.image_id, 1 - nullif(e.embedding <=> query, 'NaN'), f.factors
         FROM tagdb_store.image_factors f
         CROSS JOIN LATERAL (
             SELECT x.embedding FROM tagdb_store.embeddings x
             WHERE x.backbone_id = (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active)
               AND x.image_id = f.image_id
             OFFSET 0
         ) e
         WHERE (SELECT count(*) FROM nearest) < (SELECT settings.neighbours FROM settings)
           AND neighbours.collection IS NULL
           AND f.factor_run_id = run
           AND f.image_id IS DISTINCT FROM itself
         ORDER BY (e.embedding <=> query) + 0
         LIMIT (SELECT settings.neighbours FROM settings))
        UNION ALL
        (SELECT f.image_id, 1 - nullif(e.embedding <=> query, 'NaN'), f.factors
         FROM tagdb_store.images i
         JOIN tagdb_store.image_factors f ON f.image_id = i.image_id
         JOIN tagdb_store.embeddings e ON e.image_id = i.image_id
         WHERE (SELECT count(*) FROM nearest) < (SELECT settings.neighbours FROM settings)
           AND i.collection = neighbours.collection
           AND f.factor_run_id = run
           AND e.backbone_id = (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active)
           AND e.image_id IS DISTINCT FROM itself
         ORDER BY (e.embedding <=> query) + 0
         LIMIT (SELECT settings.neighbours FROM settings))
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
