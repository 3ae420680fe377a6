-- Removes an image, and returns whether it was there.
CREATE OR REPLACE FUNCTION tagdb.remove_image(image_id bigint)
RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT tagdb.remove_images(ARRAY[image_id]) > 0;
END;
COMMENT ON FUNCTION tagdb.remove_image IS
    'Removes an image with its hashtags, embeddings, factors, files and feedback, and returns whether it was there. It writes: only for the role tagdb_writer.';
