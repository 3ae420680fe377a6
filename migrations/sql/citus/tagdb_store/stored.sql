-- As on one machine, added up over the parts of the table.
CREATE OR REPLACE FUNCTION tagdb_store.stored(
    name text, OUT rows bigint, OUT bytes bigint, OUT analysed bigint, OUT index_bytes bigint)
LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED SECURITY DEFINER
SET search_path FROM CURRENT
SET jit = off
AS $$
DECLARE
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
    SELECT sum((p.result::json ->> 0)::bigint), sum((p.result::json ->> 1)::bigint), sum((p.result::json ->> 2)::bigint),
           coalesce(sum((p.result::json ->> 3)::bigint), 0)
    INTO rows, bytes, analysed, index_bytes
    FROM pg_catalog.run_command_on_shards(format('tagdb_store.%I', name)::regclass, part) p;
END
$$;
