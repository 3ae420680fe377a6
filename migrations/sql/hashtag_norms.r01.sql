-- The length of each hashtag's factors. No dot product can be greater than both lengths multiplied, so
-- that ranking reads the longest first and none that are too short to be among the best.
ALTER TABLE tagdb_store.hashtag_factors ADD COLUMN norm real NOT NULL GENERATED ALWAYS AS (l2_norm(factors)) STORED;
CREATE INDEX hashtag_factors_norm ON tagdb_store.hashtag_factors (norm);
-- runs that were computed and never activated are tables, but no partitions yet
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT c.relname FROM pg_catalog.pg_class c
        WHERE c.relnamespace = 'tagdb_store'::regnamespace AND c.relname ~ '^hashtag_factors_\d+$'
          AND c.relkind = 'r' AND NOT c.relispartition
    LOOP
        EXECUTE format('ALTER TABLE tagdb_store.%I ADD COLUMN norm real NOT NULL'
                       ' GENERATED ALWAYS AS (l2_norm(factors)) STORED', name);
    END LOOP;
END
$$;
