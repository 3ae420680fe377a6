-- The images nearest to an embedding by cosine distance, nearest first: from the vector index's candidates,
-- or from a scan of all embeddings without an index. The planner's settings are those of neighbours, for
-- the same reasons.
CREATE OR REPLACE FUNCTION tagdb_store.similar(query halfvec, itself bigint, top integer)
RETURNS TABLE (rank integer, image_id bigint, uri text, similarity double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10 COST 10000
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
        SELECT w.images, p.projection_id,
               ceil(b.candidates * greatest(w.images, 50) / 50.0)::integer AS candidates
        FROM (SELECT tagdb_store.at_least_one('top', coalesce(top, 10)) AS images) w
        LEFT JOIN tagdb_store.backbones b ON b.active
        LEFT JOIN tagdb_store.projections p ON p.backbone_id = b.backbone_id AND p.active
    ), nearest AS MATERIALIZED (
        (SELECT e.image_id, 1 - (e.embedding <=> query) AS similarity
         FROM settings s
         CROSS JOIN LATERAL tagdb_store.candidates(
             s.projection_id, query, itself, NULL, NULL, s.candidates) c
         JOIN tagdb_store.embeddings e ON e.image_id = c.image_id
         WHERE s.projection_id IS NOT NULL
           AND e.backbone_id = (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active)
         ORDER BY (e.embedding <=> query) + 0
         LIMIT (SELECT settings.images FROM settings))
        UNION ALL
        (SELECT e.image_id, 1 - (e.embedding <=> query)
         FROM tagdb_store.embeddings e
         WHERE e.backbone_id = (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active)
           AND e.image_id IS DISTINCT FROM itself
           AND (SELECT settings.projection_id IS NULL FROM settings)
         ORDER BY e.embedding <=> query
         LIMIT (SELECT settings.images FROM settings))
    ), found AS MATERIALIZED (
        SELECT n.image_id, n.similarity
        FROM nearest n
        WHERE (SELECT count(*) FROM nearest) >= (SELECT settings.images FROM settings)
        UNION ALL
        -- The index does not reach every image. If it returned too few, all are scanned.
        (SELECT e.image_id, 1 - (e.embedding <=> query)
         FROM tagdb_store.embeddings e
         WHERE (SELECT count(*) FROM nearest) < (SELECT settings.images FROM settings)
           AND e.backbone_id = (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active)
           AND e.image_id IS DISTINCT FROM itself
         ORDER BY (e.embedding <=> query) + 0
         LIMIT (SELECT settings.images FROM settings))
    )
    -- Sorted again: the vector index rounds, so its order is right to five digits only.
    SELECT (row_number() OVER (ORDER BY -n.similarity, n.image_id))::integer, n.image_id, i.uri, n.similarity
    FROM found n
    JOIN tagdb_store.images i ON i.image_id = n.image_id
    ORDER BY 1;
END;
