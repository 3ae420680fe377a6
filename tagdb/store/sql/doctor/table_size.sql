-- The size of one of tagdb's tables, in bytes; no row if there is no such table.
SELECT pg_relation_size(c.oid)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'tagdb_store' AND c.relname = %(table)s
