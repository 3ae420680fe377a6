-- Refuses a call with a sentence of its own. For the CASEs of functions in plain SQL, which have no
-- other way to raise an error; it returns a type only so that it can stand there.
CREATE OR REPLACE FUNCTION tagdb_store.refuse(message text)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = message, ERRCODE = 'invalid_parameter_value';
END
$$;
