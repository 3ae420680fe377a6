-- Images that get hashtags are to be counted again.
CREATE OR REPLACE TRIGGER image_hashtags_added AFTER INSERT ON tagdb_store.image_hashtags
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tagdb_store.note_changed_images();
