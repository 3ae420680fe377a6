-- Images that come are to be counted again.
CREATE OR REPLACE TRIGGER images_added AFTER INSERT ON tagdb_store.images
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tagdb_store.note_changed_images();
