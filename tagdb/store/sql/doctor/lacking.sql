-- What the roles should be able to do, and are not: askers with what asks, readers with the schema tagdb, analysts with its functions that
-- give out vectors and thumbnails, writers with tagdb_store and the functions of tagdb that write.
SELECT r.rolname::text AS role, 'USAGE' AS "right", 'schema ' || n.nspname AS name
FROM pg_roles r
JOIN pg_namespace n ON n.nspname = CASE r.rolname WHEN 'tagdb_writer' THEN 'tagdb_store' ELSE 'tagdb' END
WHERE r.rolname IN ('tagdb_asker', 'tagdb_reader', 'tagdb_writer') AND NOT has_schema_privilege(r.oid, n.oid, 'USAGE')
UNION ALL
SELECT r.rolname, 'SELECT', format('%I.%I', n.nspname, c.relname)
FROM pg_roles r
JOIN pg_namespace n ON n.nspname = CASE r.rolname WHEN 'tagdb_reader' THEN 'tagdb' ELSE 'tagdb_store' END
JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v') AND c.relname !~ '_\d+$'
    AND c.relname <> 'tokens'  -- their hashes are the owner's; writers have functions
WHERE r.rolname IN ('tagdb_reader', 'tagdb_writer') AND NOT has_table_privilege(r.oid, c.oid, 'SELECT')
UNION ALL
SELECT r.rolname, 'EXECUTE', p.oid::regprocedure::text
FROM pg_roles r
JOIN pg_namespace n ON n.nspname IN ('tagdb', 'tagdb_store')
JOIN pg_proc p ON p.pronamespace = n.oid AND p.prorettype <> 'trigger'::regtype
WHERE r.rolname = CASE WHEN n.nspname = 'tagdb' AND p.proname IN ('workers', 'submit_photo', 'request_state', 'answer',
                                                                'withdraw_photo', 'recommend_photo') THEN 'tagdb_asker'
                       WHEN p.proname IN ('at_least', 'count_vectors', 'has_embedding', 'has_factors') THEN 'tagdb_reader'  -- in views
                       WHEN n.nspname = 'tagdb_store' OR p.provolatile = 'v' THEN 'tagdb_writer'
                       WHEN p.proname IN ('thumbnail', 'embedding', 'image_factors', 'hashtag_factors') THEN 'tagdb_analyst'
                       ELSE 'tagdb_reader' END
  AND NOT has_function_privilege(r.oid, p.oid, 'EXECUTE')
UNION ALL
SELECT m.rolname, 'MEMBER', 'role ' || r.rolname
FROM pg_roles m
JOIN pg_roles r ON r.rolname = CASE m.rolname WHEN 'tagdb_reader' THEN 'tagdb_asker'
                                              WHEN 'tagdb_analyst' THEN 'tagdb_reader'
                                              WHEN 'tagdb_writer' THEN 'tagdb_analyst' END
WHERE NOT pg_has_role(m.oid, r.oid, 'MEMBER')
UNION ALL
SELECT wanted.role, 'CREATE', 'role ' || wanted.role
FROM (VALUES ('tagdb_asker'), ('tagdb_reader'), ('tagdb_analyst'), ('tagdb_writer')) wanted (role)
WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = wanted.role)
ORDER BY 1, 2, 3
