-- A stored image's thumbnail, for pages and BI tools.
CREATE OR REPLACE FUNCTION tagdb.thumbnail(image_id bigint)
RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT f.thumbnail FROM tagdb_store.image_files f WHERE f.image_id = thumbnail.image_id;
END;
COMMENT ON FUNCTION tagdb.thumbnail IS
    'The thumbnail of an image, a small JPEG. NULL if the image is unknown. For analysts and writers.';
