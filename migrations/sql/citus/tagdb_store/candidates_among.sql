-- As on one machine: every worker compares its own.
CREATE OR REPLACE FUNCTION tagdb_store.candidates_among(
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
    those bigint[] := ARRAY(SELECT i.image_id FROM tagdb_store.images i WHERE i.collection = $6);
BEGIN
    RETURN QUERY
    SELECT s.image_id, e.embedding <=> query, -(e.embedding <#> centre), f.factors
    FROM tagdb_store.search_vectors s
    JOIN tagdb_store.embeddings e ON e.image_id = s.image_id
    JOIN tagdb_store.image_factors f ON f.image_id = s.image_id
    WHERE s.projection_id = projection AND e.backbone_id = backbone AND f.factor_run_id = run
      AND s.image_id <> coalesce(itself, -1)
      AND (collection IS NULL OR s.image_id = ANY (those))
    ORDER BY (s.vector <#> projected) + 0
    LIMIT candidates;
END
$$;
