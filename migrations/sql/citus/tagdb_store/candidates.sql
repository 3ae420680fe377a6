-- As on one machine. Every worker walks its own parts of the index and returns as many as are asked for, which are
-- merged here, so that more is found than on one machine. How the index is walked is set for the workers' databases: see
-- follow_ef_search.
--
-- Which images a collection has is known here only. So more candidates are taken than are needed, by the share of
-- the collection, and the others are left out; if too few are left, the caller compares all of the collection.
CREATE OR REPLACE FUNCTION tagdb_store.candidates(
    projection integer, backbone integer, query halfvec, itself bigint, run integer, collection text, candidates integer,
    centre halfvec)
RETURNS TABLE (image_id bigint, distance double precision, along_centre double precision, factors halfvec)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 200 COST 10000
SET search_path FROM CURRENT
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    projected halfvec := tagdb_store.projected($1, $3);
    wanted integer;
BEGIN
    IF run IS NULL THEN
        RETURN QUERY
        SELECT s.image_id, e.embedding <=> query, NULL::double precision, NULL::halfvec
        FROM tagdb_store.search_vectors s
        JOIN tagdb_store.embeddings e ON e.image_id = s.image_id
        WHERE s.projection_id = projection AND e.backbone_id = backbone AND s.image_id <> coalesce(itself, -1)
        ORDER BY s.vector <#> projected
        LIMIT candidates;
    ELSIF collection IS NULL THEN
        RETURN QUERY
        SELECT s.image_id, e.embedding <=> query, -(e.embedding <#> centre), f.factors
        FROM tagdb_store.search_vectors s
        JOIN tagdb_store.embeddings e ON e.image_id = s.image_id
        JOIN tagdb_store.image_factors f ON f.image_id = s.image_id
        WHERE s.projection_id = projection AND e.backbone_id = backbone AND f.factor_run_id = run
          AND s.image_id <> coalesce(itself, -1)
        ORDER BY s.vector <#> projected
        LIMIT candidates;
    ELSE
        SELECT least(20000, 2.0 * $7 * count(*) / greatest(count(*) FILTER (WHERE i.collection = $6), 1)) INTO wanted
        FROM tagdb_store.images i;
        RETURN QUERY
        SELECT c.image_id, c.distance, c.along_centre, c.factors
        FROM tagdb_store.candidates($1, $2, $3, $4, $5, NULL, wanted, $8) c
        WHERE $6 = (SELECT i.collection FROM tagdb_store.images i WHERE i.image_id = c.image_id)
        LIMIT $7;
    END IF;
END
$$;
