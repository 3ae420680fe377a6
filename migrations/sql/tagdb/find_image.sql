-- The number of the image that has a file's content.
CREATE OR REPLACE FUNCTION tagdb.find_image(content_sha256 bytea)
RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT i.image_id FROM tagdb_store.images i WHERE i.content_sha256 = find_image.content_sha256;
END;
COMMENT ON FUNCTION tagdb.find_image IS
    'The number of the image with some content, given by the SHA-256 of its file. NULL if it is not stored.';
