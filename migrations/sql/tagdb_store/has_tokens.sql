-- Whether anybody has a token, for a service whose login may not read them.
CREATE OR REPLACE FUNCTION tagdb_store.has_tokens()
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM tagdb_store.tokens);
END;
COMMENT ON FUNCTION tagdb_store.has_tokens IS 'Whether there is a token.';
