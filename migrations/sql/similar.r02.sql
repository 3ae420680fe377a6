-- The images nearest to an embedding by cosine distance, nearest first. The planner's settings are
-- those of neighbours, for the same reasons.
CREATE FUNCTION tagdb_store.similar(query halfvec, itself bigint, top integer)
RETURNS TABLE (rank integer, image_id bigint, uri text, similarity double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10 COST 10000
SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_sort = off
SET max_parallel_workers_per_gather = 0
SET hnsw.ef_search = 100
SET hnsw.iterative_scan = strict_order
SET hnsw.max_scan_tuples = 2147483647
SET hnsw.scan_mem_multiplier = 64
BEGIN ATOMIC
    WITH wanted AS MATERIALIZED (
        SELECT tagdb_store.at_least_one('top', coalesce(top, 10)) AS images
    ), nearest AS MATERIALIZED (
        SELECT e.image_id, 1 - (e.embedding <=> query) AS similarity
        FROM tagdb_store.embeddings e
        WHERE e.backbone_id = (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active)
          AND e.image_id IS DISTINCT FROM itself
        ORDER BY e.embedding <=> query
        LIMIT (SELECT wanted.images FROM wanted)
    ), found AS MATERIALIZED (
        SELECT n.image_id, n.similarity
        FROM nearest n
        WHERE (SELECT count(*) FROM nearest) >= (SELECT wanted.images FROM wanted)
        UNION ALL
        -- The index does not lead to every image. Where it gave too few, all are looked at.
        (SELECT e.image_id, 1 - (e.embedding <=> query)
         FROM tagdb_store.embeddings e
         WHERE (SELECT count(*) FROM nearest) < (SELECT wanted.images FROM wanted)
           AND e.backbone_id = (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active)
           AND e.image_id IS DISTINCT FROM itself
         ORDER BY (e.embedding <=> query) + 0
         LIMIT (SELECT wanted.images FROM wanted))
    )
    -- Ordered anew: the vector index rounds, and its order is right to five digits only.
    SELECT (row_number() OVER (ORDER BY -n.similarity, n.image_id))::integer, n.image_id, i.uri, n.similarity
    FROM found n
    JOIN tagdb_store.images i ON i.image_id = n.image_id
    ORDER BY 1;
END;
