-- Takes back a request of the login that asks, with its answer.
CREATE OR REPLACE FUNCTION tagdb.withdraw_photo(request bigint)
RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    WITH withdrawn AS (
        DELETE FROM tagdb_store.requests r
        WHERE r.request_id = request AND r.asked_by = session_user
        RETURNING r.request_id
    )
    SELECT EXISTS (SELECT FROM withdrawn);
END;
COMMENT ON FUNCTION tagdb.withdraw_photo IS
    'Deletes a request of your login and its answer, and returns whether there was one. A photo that is being stored '
    'may still be.';
