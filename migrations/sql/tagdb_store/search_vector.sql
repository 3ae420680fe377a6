-- The search vector of an embedding as it is stored, with length 1.
CREATE OR REPLACE FUNCTION tagdb_store.search_vector(projection integer, embedding halfvec)
RETURNS halfvec
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT l2_normalize(tagdb_store.projected(projection, embedding));
END;
