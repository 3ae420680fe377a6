-- Whether the caller's transaction is to write a part of a factor run: true once, if that transaction commits.
-- A cluster may try a part again, or twice at the same time: whoever comes second waits for the first to end.
-- The run cannot be finished or discarded meanwhile, and nothing can be written afterwards.
CREATE OR REPLACE FUNCTION tagdb_store.claim_factor_part(run integer, part integer)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
BEGIN
    PERFORM FROM tagdb_store.factor_runs r WHERE r.factor_run_id = run AND r.status = 'building' FOR SHARE;
    IF NOT FOUND THEN
        PERFORM tagdb_store.refuse('factor run ' || coalesce(run::text, 'NULL') || ' is not being computed');
    END IF;
    INSERT INTO tagdb_store.factor_parts (factor_run_id, part) VALUES (run, claim_factor_part.part)
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END
$$;
