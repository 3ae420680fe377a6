-- Checks an argument that must be 1 or more. NULL stays NULL.
-- Without its own settings, the function is inlined into the calling query.
CREATE OR REPLACE FUNCTION tagdb_store.at_least_one(argument text, value integer)
RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN value < 1
        THEN tagdb_store.refuse(argument || ' must be 1 or more, not ' || value)::integer
        ELSE value
    END;
END;
