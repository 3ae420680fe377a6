-- The trigger ef_search_followed writes it into the function candidates, which was recreated.
UPDATE tagdb_store.backbones SET ef_search = ef_search WHERE active;
