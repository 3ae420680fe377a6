-- Sets the active backbone's ef_search on the function candidates. It has to be a setting of the function:
-- a function that sets it from a table while it runs could not be called in a parallel query.
CREATE OR REPLACE FUNCTION tagdb_store.follow_ef_search()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
BEGIN
    -- Until pgvector is loaded, its settings are unknown, and only a superuser may set them.
    EXECUTE format('SELECT %L::%s', '[1]', (
        SELECT a.atttypid::regtype FROM pg_attribute a
        WHERE a.attrelid = 'tagdb_store.embeddings'::regclass AND a.attname = 'embedding'));
    EXECUTE format('ALTER FUNCTION %s SET hnsw.ef_search = %s',
        'tagdb_store.candidates'::regproc::regprocedure, NEW.ef_search);
    RETURN NULL;
END
$$;
