-- The images with factors in a run that are nearest to an embedding, and their weights in the average, which add up to 1.
-- NULL for `neighbours` means the run's number; NULL for `collection` means all images.
--
-- Embeddings of photos all point in much the same direction, their mean; what tells photos apart is the rest. So of four
-- candidates for each neighbour, the nearest by cosine similarity, those are taken that are most similar off the mean:
-- with s the cosine of two embeddings of length 1, c those of each with the mean m, that is
-- (s - c1 - c2 + m²) / sqrt((1 - 2 c1 + m²) (1 - 2 c2 + m²)). Weights are e^(contrast / spread · that). Runs without
-- contrast, or whose mean is that of another backbone's embeddings, weight by similarity^exponent.
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
               ceil(b.candidates * greatest(s.neighbours, 50) / 50.0)::integer AS candidates,
               m.centre, s.contrast / m.spread AS sharpness, l2_norm(m.centre) ^ 2 AS square,
               (1 - (query <=> m.centre)) * l2_norm(m.centre) AS asked
        FROM (
            SELECT r.similarity_exponent AS exponent, r.contrast,
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
        LEFT JOIN tagdb_store.factor_maps m
               ON m.factor_run_id = run AND m.backbone_id = b.backbone_id AND s.contrast > 0
        WHERE b.active
    ), candidates AS MATERIALIZED (
        SELECT c.image_id, c.distance, c.along_centre, c.factors
        FROM settings s
        CROSS JOIN LATERAL (
            SELECT n.image_id, n.distance, n.along_centre, n.factors
            FROM tagdb_store.candidates(
                s.projection_id, s.backbone_id, query, itself, run, neighbours.collection, s.candidates, s.centre) n
            WHERE NOT s.few
            UNION ALL
            SELECT n.image_id, n.distance, n.along_centre, n.factors
            FROM tagdb_store.candidates_among(
                s.projection_id, s.backbone_id, query, itself, run, neighbours.collection, s.candidates, s.centre) n
            WHERE s.few
        ) c
        WHERE s.projection_id IS NOT NULL
    ), compared AS (
        SELECT c.image_id, c.distance, c.along_centre, c.factors
        FROM candidates c
        WHERE (SELECT count(*) FROM candidates) >= (SELECT settings.neighbours FROM settings)
        UNION ALL
        SELECT x.image_id, x.distance, x.along_centre, x.factors
        FROM settings s
        CROSS JOIN LATERAL tagdb_store.exact_neighbours(
            s.backbone_id, query, itself, run, neighbours.collection,
            CASE WHEN s.centre IS NULL THEN s.neighbours ELSE 4 * greatest(s.neighbours, 50) END, s.centre) x
        WHERE (SELECT count(*) FROM candidates) < s.neighbours
    ), found AS MATERIALIZED (
        SELECT n.image_id, 1 - nullif(n.distance, 'NaN') AS similarity, CASE
                   WHEN s.centre IS NULL THEN 1 - nullif(n.distance, 'NaN')
                   ELSE nullif(
                       (1 - n.distance - s.asked - n.along_centre + s.square)
                       / sqrt(greatest((1 - 2 * s.asked + s.square)
                                       * (1 - 2 * n.along_centre + s.square), 1e-12)), 'NaN')
               END AS closeness, n.factors
        FROM compared n
        CROSS JOIN settings s
        ORDER BY 3 DESC NULLS LAST
        LIMIT (SELECT settings.neighbours FROM settings)
    ), weighted AS (
        -- In units of the nearest one's weight, and 0 below e^-60 of that: numbers
        -- too small for their type are errors in PostgreSQL and pgvector.
        SELECT s.image_id, s.similarity, s.factors, CASE
            WHEN s.closeness IS NULL THEN 0
            WHEN s.sharpness IS NOT NULL THEN
                CASE WHEN s.sharpness * (s.closeness - s.best) < -60 THEN 0
                     ELSE exp(s.sharpness * (s.closeness - s.best)) END
            WHEN s.exponent = 0 THEN 1
            WHEN s.similarity <= 0 THEN 0
            WHEN s.exponent * ln(s.similarity / s.best) < -60 THEN 0
            ELSE power(s.similarity / s.best, s.exponent)
        END AS weight
        FROM (
            SELECT f.image_id, f.similarity, f.closeness, f.factors, max(f.closeness) OVER () AS best,
                   (SELECT settings.exponent FROM settings) AS exponent,
                   (SELECT settings.sharpness FROM settings) AS sharpness
            FROM found f
        ) s
    )
    SELECT w.image_id, w.similarity, w.weight / nullif(sum(w.weight) OVER (), 0), w.factors
    FROM weighted w;
END;
