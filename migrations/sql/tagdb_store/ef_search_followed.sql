-- Changes of the active backbone or its ef_search are applied to the function candidates.
CREATE OR REPLACE TRIGGER ef_search_followed AFTER INSERT OR UPDATE OF ef_search, active ON tagdb_store.backbones
    FOR EACH ROW WHEN (NEW.active) EXECUTE FUNCTION tagdb_store.follow_ef_search();
