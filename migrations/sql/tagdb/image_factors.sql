-- A stored image's factors in the active run.
CREATE OR REPLACE FUNCTION tagdb.image_factors(image_id bigint)
RETURNS real[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT tagdb_store.factors_of(image_id)::real[];
END;
COMMENT ON FUNCTION tagdb.image_factors IS
    'The factors of an image in the active factor run. NULL if the image is unknown or has none. For analysts and '
    'writers.';
