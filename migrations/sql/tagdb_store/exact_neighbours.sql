-- The images nearest to an embedding by cosine distance, with their factors, by comparing all embeddings: where there is
-- no vector index, or it gave too few, because it does not reach every image. NULL for `run` means all images and no
-- factors, otherwise those with factors in the run; NULL for `collection` also means all images. With `centre`, their
-- dot products with it, too.
--
-- The form of the query matters:
-- * Where factors are wanted, the sorted embeddings have no LIMIT of their own: the LIMIT comes after the look-up of
--   factors, so images without factors are skipped and never take a neighbour's place. The order is requested
--   again there; a nested loop preserves it, so nothing is sorted twice.
-- * With LIMIT as a parameter, the planner expects a tenth of the table and merge-joins all factors; with
--   hash and merge joins off, only a look-up per neighbour is left.
-- * The sum keeps an index over embeddings from being used, if somebody makes one: this answer is exact.
-- * Parallel workers would be started for a scan of all images even where one collection is compared.
CREATE OR REPLACE FUNCTION tagdb_store.exact_neighbours(
    backbone integer, query halfvec, itself bigint, run integer, collection text, neighbours integer, centre halfvec)
RETURNS TABLE (image_id bigint, distance double precision, along_centre double precision, factors halfvec)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 50 COST 100000
SET search_path = pg_catalog, pg_temp
SET jit = off
SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_sort = off
SET max_parallel_workers_per_gather = 0
BEGIN ATOMIC
    (SELECT e.image_id, (e.embedding <=> query) + 0 AS distance, NULL::double precision, NULL::halfvec
     FROM tagdb_store.embeddings e
     WHERE run IS NULL
       AND e.backbone_id = backbone
       AND e.image_id IS DISTINCT FROM itself
     ORDER BY (e.embedding <=> query) + 0
     LIMIT exact_neighbours.neighbours)
    UNION ALL
    (SELECT n.image_id, n.distance, CASE WHEN centre IS NOT NULL THEN (
                SELECT -(x.embedding <#> centre) FROM tagdb_store.embeddings x
                WHERE x.backbone_id = backbone AND x.image_id = n.image_id)
            END, n.factors
     FROM (
         SELECT c.image_id, c.distance, f.factors
         FROM (
             SELECT e.image_id, (e.embedding <=> query) + 0 AS distance
             FROM tagdb_store.embeddings e
             WHERE run IS NOT NULL
               AND exact_neighbours.collection IS NULL
               AND e.backbone_id = backbone
               AND e.image_id IS DISTINCT FROM itself
             ORDER BY (e.embedding <=> query) + 0
         ) c
         JOIN tagdb_store.image_factors f ON f.factor_run_id = run AND f.image_id = c.image_id
         ORDER BY c.distance
         LIMIT exact_neighbours.neighbours
     ) n)
    UNION ALL
    (SELECT i.image_id, (e.embedding <=> query) + 0, -(e.embedding <#> centre), f.factors
     FROM tagdb_store.images i
     JOIN tagdb_store.image_factors f ON f.factor_run_id = run AND f.image_id = i.image_id
     JOIN tagdb_store.embeddings e ON e.backbone_id = backbone AND e.image_id = i.image_id
     WHERE i.collection = exact_neighbours.collection
       AND i.image_id IS DISTINCT FROM itself
     ORDER BY (e.embedding <=> query) + 0
     LIMIT exact_neighbours.neighbours);
END;
