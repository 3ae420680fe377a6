-- Whose token has this hash, for a service whose login may not read the others.
CREATE OR REPLACE FUNCTION tagdb_store.token(token_sha256 bytea)
RETURNS TABLE (name text, role text, last_used_on date)
LANGUAGE sql VOLATILE ROWS 1 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT t.name, t.role, t.last_used_on FROM tagdb_store.tokens t WHERE t.token_sha256 = token.token_sha256;
END;
COMMENT ON FUNCTION tagdb_store.token IS 'Name and role of the token with a hash.';
