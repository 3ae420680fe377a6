-- The indexes of tagdb's tables but those for vectors: whether each can be used, and how often it was. Of an
-- index of a partitioned table `of` is the one that it is a part of.
SELECT x.relname AS name, t.relname AS "table", p.relname AS of, pg_relation_size(x.oid) AS bytes,
       i.indisvalid AND i.indisready AS valid,
       EXISTS (SELECT FROM pg_stat_progress_create_index g WHERE g.index_relid = x.oid) AS building,
       coalesce(pg_stat_get_numscans(x.oid), 0) AS scans,
       EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.oid) AS of_constraint
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_am a ON a.oid = x.relam
LEFT JOIN pg_inherits h ON h.inhrelid = x.oid
LEFT JOIN pg_class p ON p.oid = h.inhparent
WHERE x.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'tagdb_store')
  AND a.amname <> 'hnsw' AND t.relkind IN ('r', 'p')
ORDER BY x.relname
