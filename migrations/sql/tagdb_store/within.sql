-- Checks an argument that must be a number from `low` to `high`. NULL stays NULL.
CREATE OR REPLACE FUNCTION tagdb_store.within(
    argument text, value double precision, low double precision, high double precision)
RETURNS double precision
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT CASE WHEN value BETWEEN low AND high OR value IS NULL THEN value
        ELSE tagdb_store.refuse(
            argument || ' must be a number from ' || low || ' to ' || high || ', not ' || value)::double precision
    END;
END;
