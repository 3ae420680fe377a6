-- As on one machine, added up over the parts of the table.
CREATE OR REPLACE FUNCTION tagdb_store.stored(
    name text, OUT rows bigint, OUT bytes bigint, OUT analysed bigint, OUT index_bytes bigint)
LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED SECURITY DEFINER
SET search_path FROM CURRENT
SET jit = off
AS $$
DECLARE
    failure text;
    part text := $part$
        SELECT json_build_array(
            greatest(c.reltuples, 0)::bigint, pg_relation_size(c.oid), c.relpages * current_setting('block_size')::bigint,
            (SELECT sum(pg_relation_size(x.indexrelid))
             FROM pg_index x
             JOIN pg_class i ON i.oid = x.indexrelid
             JOIN pg_am a ON a.oid = i.relam
             WHERE x.indrelid = c.oid AND a.amname = 'hnsw'))
        FROM pg_class c
        WHERE c.oid = '%s'::regclass
    $part$;
BEGIN
    IF to_regclass(format('tagdb_store.%I', name)) IS NULL THEN
        RETURN;
    END IF;
    WITH answers AS MATERIALIZED (
        SELECT p.success, p.result
        FROM pg_catalog.run_command_on_shards(format('tagdb_store.%I', name)::regclass, part) p
    ), sums AS (
        SELECT CASE WHEN a.success THEN a.result::json END AS sizes, CASE WHEN NOT a.success THEN a.result END AS failure
        FROM answers a
    )
    SELECT sum((s.sizes ->> 0)::bigint), sum((s.sizes ->> 1)::bigint), sum((s.sizes ->> 2)::bigint),
           coalesce(sum((s.sizes ->> 3)::bigint), 0), max(s.failure)
    INTO rows, bytes, analysed, index_bytes, failure
    FROM sums s;
    IF failure IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'connection_failure', MESSAGE = failure;
    END IF;
END
$$;
