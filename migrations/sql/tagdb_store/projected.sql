-- The search vector of an embedding. It is not normalised, which does not change the order by inner product
-- with the stored ones. A halfvec is as good as a vector here, and half as much to read.
CREATE OR REPLACE FUNCTION tagdb_store.projected(projection integer, embedding halfvec)
RETURNS halfvec
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
SET plan_cache_mode = force_generic_plan
BEGIN ATOMIC
    SELECT ARRAY(
        SELECT -(a.direction <#> embedding)
        FROM tagdb_store.projection_axes a
        WHERE a.projection_id = projection
        ORDER BY a.axis)::halfvec(192);
END;
