-- How many embeddings a backbone has, roughly, whether a usable vector index covers them, and whether
-- this login may make one, which only the table's owner may.
SELECT greatest(c.reltuples, 0)::bigint AS embeddings,
       EXISTS (SELECT FROM pg_index x
               JOIN pg_class ic ON ic.oid = x.indexrelid
               JOIN pg_am a ON a.oid = ic.relam
               WHERE x.indrelid = c.oid AND a.amname = 'hnsw' AND x.indisvalid) AS indexed,
       pg_has_role(c.relowner, 'USAGE') AS owned
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'tagdb_store' AND c.relname = %(partition)s
