-- Checks an argument that must be 1 or more. NULL stays NULL.
CREATE OR REPLACE FUNCTION tagdb_store.at_least_one(argument text, value integer)
RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT CASE WHEN value < 1
        THEN tagdb_store.refuse(argument || ' must be 1 or more, not ' || value)::integer
        ELSE value
    END;
END;
