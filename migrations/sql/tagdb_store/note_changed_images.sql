-- Notes which images have changed for the statistics, for the triggers of images and of their hashtags.
CREATE OR REPLACE FUNCTION tagdb_store.note_changed_images()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
BEGIN
    IF TG_LEVEL = 'ROW' THEN
        INSERT INTO tagdb_store.changed_images (image_id) VALUES (NEW.image_id);
    ELSE
        INSERT INTO tagdb_store.changed_images (image_id) SELECT DISTINCT c.image_id FROM changed c;
    END IF;
    RETURN NULL;
END
$$;
