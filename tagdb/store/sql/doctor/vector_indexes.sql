-- The vector indexes of tagdb's tables. One that is invalid is not used: it is being built, or that broke
-- off.
SELECT x.relname AS name, pg_relation_size(x.oid) AS bytes,
       i.indisvalid AS valid,
       EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = x.oid) AS building
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_am a ON a.oid = x.relam
JOIN pg_namespace n ON n.oid = x.relnamespace
WHERE n.nspname = 'tagdb_store' AND a.amname = 'hnsw' AND x.relkind = 'i'
ORDER BY x.relname
