-- Checks that an embedding can be compared with the stored ones. NULL stays NULL.
CREATE OR REPLACE FUNCTION tagdb_store.checked_embedding(embedding halfvec)
RETURNS halfvec
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT CASE WHEN vector_dims(embedding) <> 1280
        THEN tagdb_store.refuse('embedding must have 1280 dimensions, not ' || vector_dims(embedding))::halfvec
        ELSE embedding
    END;
END;
