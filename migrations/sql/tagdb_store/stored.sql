-- How large the table of a backbone's embeddings or of a projection's search vectors is, `embeddings_1`: rows by the planner's
-- statistics, bytes now and when those were gathered, and bytes of its vector index.
CREATE OR REPLACE FUNCTION tagdb_store.stored(
    name text, OUT rows bigint, OUT bytes bigint, OUT analysed bigint, OUT index_bytes bigint)
LANGUAGE sql STABLE STRICT PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT greatest(c.reltuples, 0)::bigint, pg_relation_size(c.oid),
           c.relpages * current_setting('block_size')::bigint,
           coalesce((SELECT sum(pg_relation_size(x.indexrelid))
                     FROM pg_index x
                     JOIN pg_class i ON i.oid = x.indexrelid
                     JOIN pg_am a ON a.oid = i.relam
                     WHERE x.indrelid = c.oid AND a.amname = 'hnsw'), 0)::bigint
    FROM pg_class c
    WHERE c.relname = stored.name AND c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'tagdb_store');
END;
