-- Checks that an embedding can be compared with the stored ones. NULL stays NULL.
-- Without its own settings, the function is inlined into the calling query.
CREATE OR REPLACE FUNCTION tagdb_store.checked_embedding(embedding halfvec)
RETURNS halfvec
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN vector_dims(embedding) <> 1280
        THEN tagdb_store.refuse('embedding must have 1280 dimensions, not ' || vector_dims(embedding))::halfvec
        ELSE embedding
    END;
END;
