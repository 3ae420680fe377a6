-- A stored image's file, byte for byte.
CREATE OR REPLACE FUNCTION tagdb.original(image_id bigint)
RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT f.original FROM tagdb_store.image_files f WHERE f.image_id = original.image_id;
END;
COMMENT ON FUNCTION tagdb.original IS
    'The file of an image, byte for byte. NULL if the image is unknown, or its file is not kept in the database. For analysts and writers.';
