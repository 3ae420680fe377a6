-- Checks an argument that must be a number from `low` to `high`. NULL stays NULL.
-- Without its own settings, the function is inlined into the calling query.
CREATE OR REPLACE FUNCTION tagdb_store.within(
    argument text, value double precision, low double precision, high double precision)
RETURNS double precision
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN value BETWEEN low AND high OR value IS NULL THEN value
        ELSE tagdb_store.refuse(
            argument || ' must be a number from ' || low || ' to ' || high || ', not ' || value)::double precision
    END;
END;
