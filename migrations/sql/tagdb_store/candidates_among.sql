-- Images near an embedding by search vector, like candidates, where few can be neighbours: those of a small
-- collection, or with NULL for `collection` those of a run with few images. All of them are compared, because
-- the index would be searched nearly to its end for them.
--
-- The form of the query matters:
-- * All are sorted first, and the order is that of the nested loop: so factors are looked up for as many images
--   as are needed, not for all.
-- * The settings of the planner are those of candidates, for the same reasons: only look-ups are left.
CREATE OR REPLACE FUNCTION tagdb_store.candidates_among(
    projection integer, backbone integer, query halfvec, itself bigint, run integer, collection text, candidates integer,
    centre halfvec)
RETURNS TABLE (image_id bigint, distance double precision, along_centre double precision, factors halfvec)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 200 COST 10000
SET search_path = pg_catalog, pg_temp
SET jit = off
SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_seqscan = off
SET enable_bitmapscan = off
SET max_parallel_workers_per_gather = 0
BEGIN ATOMIC
    SELECT n.image_id, e.embedding <=> query, -(e.embedding <#> centre), f.factors
    FROM (
        SELECT s.image_id
        FROM (
            SELECT i.image_id
            FROM tagdb_store.images i
            WHERE i.collection = candidates_among.collection
            UNION ALL
            SELECT f.image_id
            FROM tagdb_store.image_factors f
            WHERE f.factor_run_id = run AND candidates_among.collection IS NULL
        ) p
        CROSS JOIN LATERAL (
            SELECT v.image_id, v.vector
            FROM tagdb_store.search_vectors v
            WHERE v.projection_id = projection AND v.image_id = p.image_id
            OFFSET 0
        ) s
        WHERE s.image_id IS DISTINCT FROM itself
        ORDER BY (s.vector <#> (SELECT tagdb_store.projected(projection, query))) + 0
    ) n
    JOIN tagdb_store.image_factors f ON f.factor_run_id = run AND f.image_id = n.image_id
    JOIN tagdb_store.embeddings e ON e.backbone_id = backbone AND e.image_id = n.image_id
    LIMIT candidates_among.candidates;
END;
