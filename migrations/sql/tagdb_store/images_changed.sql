-- Images whose collection or time changes are to be counted again.
CREATE OR REPLACE TRIGGER images_changed AFTER UPDATE OF collection, taken_at ON tagdb_store.images
    FOR EACH ROW WHEN (OLD.collection IS DISTINCT FROM NEW.collection OR OLD.taken_at IS DISTINCT FROM NEW.taken_at)
    EXECUTE FUNCTION tagdb_store.note_changed_images();
