-- The tables, views, functions, procedures and triggers that there are in tagdb's schemas, functions with their bodies
-- where PostgreSQL keeps those as they were written. The first of several functions of a name is the oldest.
SELECT CASE WHEN c.relkind = 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind,
       n.nspname || '.' || c.relname AS name, '' AS called, '' AS body
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('tagdb', 'tagdb_store') AND c.relkind IN ('r', 'p', 'v')
UNION ALL
SELECT 'TRIGGER', t.tgname || ' ON ' || n.nspname || '.' || c.relname, '', ''
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'tagdb_store' AND NOT t.tgisinternal AND t.tgparentid = 0
UNION ALL
(SELECT CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, n.nspname || '.' || p.proname, p.oid::regprocedure::text, p.prosrc
 FROM pg_proc p
 JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname IN ('tagdb', 'tagdb_store')
 ORDER BY p.oid)
