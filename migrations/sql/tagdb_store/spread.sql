-- Puts a new table of image factors or search vectors where the others are: in this database, unless it is distributed.
CREATE OR REPLACE FUNCTION tagdb_store.spread(name text)
RETURNS void
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT;
END;
