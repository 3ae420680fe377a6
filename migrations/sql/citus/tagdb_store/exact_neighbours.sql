-- As on one machine: every worker compares its own.
CREATE OR REPLACE FUNCTION tagdb_store.exact_neighbours(
    backbone integer, query halfvec, itself bigint, run integer, collection text, neighbours integer, centre halfvec)
RETURNS TABLE (image_id bigint, distance double precision, along_centre double precision, factors halfvec)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 50 COST 100000
SET search_path FROM CURRENT
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    those bigint[] := ARRAY(SELECT i.image_id FROM tagdb_store.images i WHERE i.collection = $5);
BEGIN
    IF run IS NULL THEN
        RETURN QUERY
        SELECT e.image_id, (e.embedding <=> query) + 0, NULL::double precision, NULL::halfvec
        FROM tagdb_store.embeddings e
        WHERE e.backbone_id = backbone AND e.image_id <> coalesce(itself, -1)
        ORDER BY (e.embedding <=> query) + 0
        LIMIT neighbours;
    ELSE
        RETURN QUERY
        SELECT e.image_id, (e.embedding <=> query) + 0, -(e.embedding <#> centre), f.factors
        FROM tagdb_store.embeddings e
        JOIN tagdb_store.image_factors f ON f.image_id = e.image_id
        WHERE e.backbone_id = backbone AND f.factor_run_id = run AND e.image_id <> coalesce(itself, -1)
          AND (collection IS NULL OR e.image_id = ANY (those))
        ORDER BY (e.embedding <=> query) + 0
        LIMIT neighbours;
    END IF;
END
$$;
