-- Images that go are to be counted again.
CREATE OR REPLACE TRIGGER images_removed AFTER DELETE ON tagdb_store.images
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tagdb_store.note_changed_images();
