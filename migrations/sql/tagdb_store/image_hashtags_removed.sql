-- Images that lose hashtags are to be counted again.
CREATE OR REPLACE TRIGGER image_hashtags_removed AFTER DELETE ON tagdb_store.image_hashtags
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tagdb_store.note_changed_images();
