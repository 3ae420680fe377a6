-- Raises an error with a given message, for CASE expressions in plain SQL functions, which cannot raise
-- errors otherwise. It has a return type only so that it can be used there.
CREATE OR REPLACE FUNCTION tagdb_store.refuse(message text)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = message, ERRCODE = 'invalid_parameter_value';
END
$$;
