-- Images near an embedding by search vector, with their cosine distances and factors, to be ranked by the caller. NULL for
-- `run` means all images and no factors, otherwise those with factors in the run; NULL for `collection` also means
-- all images.
--
-- The form of the query matters:
-- * The index is searched until there are enough results, however many images are skipped: its own limits
--   of tuples and memory would end the search early and silently. Relaxed order loses nothing, because
--   candidates are ranked anyway; strict order would discard what a later round finds nearer. How far a
--   round searches, ef_search, belongs to the active backbone: see follow_ef_search.
-- * With LIMIT as a parameter, the planner expects a tenth of the table: it would scan and sort all search
--   vectors instead of using the index, and plan again for each caller. With hash and merge joins off, only look-ups
--   are left.
CREATE OR REPLACE FUNCTION tagdb_store.candidates(
    projection integer, backbone integer, query halfvec, itself bigint, run integer, collection text, candidates integer,
    centre halfvec)
RETURNS TABLE (image_id bigint, distance double precision, along_centre double precision, factors halfvec)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 200 COST 10000
SET search_path = pg_catalog, pg_temp
SET jit = off
SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_sort = off
SET enable_seqscan = off
SET enable_bitmapscan = off
SET max_parallel_workers_per_gather = 0
SET hnsw.ef_search = 200
SET hnsw.iterative_scan = relaxed_order
SET hnsw.max_scan_tuples = 2147483647
SET hnsw.scan_mem_multiplier = 64
BEGIN ATOMIC
    SELECT s.image_id, e.embedding <=> query, -(e.embedding <#> centre), f.factors
    FROM tagdb_store.search_vectors s
    LEFT JOIN tagdb_store.image_factors f ON f.factor_run_id = run AND f.image_id = s.image_id
    JOIN tagdb_store.embeddings e ON e.backbone_id = backbone AND e.image_id = s.image_id
    WHERE s.projection_id = projection
      AND s.image_id IS DISTINCT FROM itself
      AND (run IS NULL OR f.image_id IS NOT NULL)
      AND (candidates.collection IS NULL OR candidates.collection = (
            SELECT i.collection FROM tagdb_store.images i WHERE i.image_id = s.image_id))
    ORDER BY s.vector <#> (SELECT tagdb_store.projected(projection, query))
    LIMIT candidates.candidates;
END;
