-- Images near an embedding by search vector, for ranking by embedding. NULL for `run` means all images,
-- else those that have factors in it; NULL for `collection` means all images, too.
--
-- Shape matters more than style here:
-- * The index is searched on until there are enough, however many images are passed over: its own limits
--   of tuples and memory would end the search early and silently. Relaxed order loses nothing, since the
--   candidates are ranked anyway; strict order would throw away what a later round finds nearer.
--   How far a round looks, ef_search, is the active backbone's: see follow_ef_search.
-- * LIMIT as a parameter makes the planner expect a tenth of the table: it would rather scan and sort all
--   search vectors than trust the index, and would plan anew for each caller.
-- * Look-ups are scalar sub-selects: EXISTS could become a hash table of all factors.
CREATE OR REPLACE FUNCTION tagdb_store.candidates(
    projection integer, query halfvec, itself bigint, run integer, collection text, candidates integer)
RETURNS TABLE (image_id bigint)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 200 COST 10000
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_sort = off
SET enable_seqscan = off
SET enable_bitmapscan = off
SET max_parallel_workers_per_gather = 0
SET hnsw.ef_search = 200
SET hnsw.iterative_scan = relaxed_order
SET hnsw.max_scan_tuples = 2147483647
SET hnsw.scan_mem_multiplier = 64
BEGIN ATOMIC
    SELECT s.image_id
    FROM tagdb_store.search_vectors s
    WHERE s.projection_id = projection
      AND s.image_id IS DISTINCT FROM itself
      AND (run IS NULL OR s.image_id = (
            SELECT f.image_id FROM tagdb_store.image_factors f
            WHERE f.factor_run_id = run AND f.image_id = s.image_id))
      AND (candidates.collection IS NULL OR candidates.collection = (
            SELECT i.collection FROM tagdb_store.images i WHERE i.image_id = s.image_id))
    ORDER BY s.vector <#> (SELECT tagdb_store.projected(projection, query))
    LIMIT candidates.candidates;
END;
