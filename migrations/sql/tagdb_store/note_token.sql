-- Notes that a token is used today.
CREATE OR REPLACE FUNCTION tagdb_store.note_token(token_sha256 bytea)
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    UPDATE tagdb_store.tokens t SET last_used_on = current_date
    WHERE t.token_sha256 = note_token.token_sha256 AND t.last_used_on IS DISTINCT FROM current_date;
END;
COMMENT ON FUNCTION tagdb_store.note_token IS 'Notes that the token with a hash is used today.';
