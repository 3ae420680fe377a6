-- Brings the statistics up to date after an edit: of the images that carry one of its hashtags, or one of those that they
-- counted as before or count as now.
CREATE OR REPLACE FUNCTION tagdb_store.refresh_edited_statistics(before jsonb)
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    INSERT INTO tagdb_store.changed_images (image_id)
    SELECT ih.image_id
    FROM tagdb_store.image_hashtags ih
    WHERE ih.hashtag_id IN (SELECT b.hashtag_id FROM jsonb_to_recordset(before) AS b (hashtag_id integer));
    SELECT tagdb_store.count_changed_images();
END;
