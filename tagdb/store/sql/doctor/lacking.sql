-- What the roles should be able to do, and are not: readers with the schema tagdb, writers with tagdb_store and
-- the functions of tagdb that write.
SELECT r.rolname::text AS role, 'USAGE' AS "right", 'schema ' || n.nspname AS name
FROM pg_roles r
JOIN pg_namespace n ON n.nspname = CASE r.rolname WHEN 'tagdb_reader' THEN 'tagdb' ELSE 'tagdb_store' END
WHERE r.rolname IN ('tagdb_reader', 'tagdb_writer') AND NOT has_schema_privilege(r.oid, n.oid, 'USAGE')
UNION ALL
SELECT r.rolname, 'SELECT', format('%I.%I', n.nspname, c.relname)
FROM pg_roles r
JOIN pg_namespace n ON n.nspname = CASE r.rolname WHEN 'tagdb_reader' THEN 'tagdb' ELSE 'tagdb_store' END
JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v') AND c.relname !~ '_\d+$'
WHERE r.rolname IN ('tagdb_reader', 'tagdb_writer') AND NOT has_table_privilege(r.oid, c.oid, 'SELECT')
UNION ALL
SELECT r.rolname, 'EXECUTE', p.oid::regprocedure::text
FROM pg_roles r
JOIN pg_namespace n ON n.nspname IN ('tagdb', 'tagdb_store')
JOIN pg_proc p ON p.pronamespace = n.oid AND p.prorettype <> 'trigger'::regtype
WHERE r.rolname = CASE WHEN n.nspname = 'tagdb' AND p.provolatile <> 'v' THEN 'tagdb_reader' ELSE 'tagdb_writer' END
  AND NOT has_function_privilege(r.oid, p.oid, 'EXECUTE')
UNION ALL
SELECT 'tagdb_writer', 'MEMBER', 'role tagdb_reader'
FROM pg_roles w, pg_roles r
WHERE w.rolname = 'tagdb_writer' AND r.rolname = 'tagdb_reader' AND NOT pg_has_role(w.oid, r.oid, 'MEMBER')
UNION ALL
SELECT wanted.role, 'CREATE', 'role ' || wanted.role
FROM (VALUES ('tagdb_reader'), ('tagdb_writer')) wanted (role)
WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = wanted.role)
ORDER BY 1, 2, 3
