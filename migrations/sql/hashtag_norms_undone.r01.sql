-- Takes the lengths from runs that were never activated, when 0004 is taken back.
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT c.relname FROM pg_catalog.pg_class c
        WHERE c.relnamespace = 'tagdb_store'::regnamespace AND c.relname ~ '^hashtag_factors_\d+$'
          AND c.relkind = 'r' AND NOT c.relispartition
    LOOP
        EXECUTE format('ALTER TABLE tagdb_store.%I DROP COLUMN IF EXISTS norm', name);
    END LOOP;
END
$$;
