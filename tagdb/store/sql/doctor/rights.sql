-- Rights that nobody should have: of everybody in tagdb's schemas, of askers to anything but to ask, of readers and
-- analysts in tagdb_store and to execute what writes, of readers to execute what gives out vectors and thumbnails, and
-- to make something there.
WITH own AS (SELECT n.* FROM pg_namespace n WHERE n.nspname IN ('tagdb', 'tagdb_store')),
given AS (
    SELECT 'SCHEMA' AS kind, n.nspname, n.nspname::text AS name, n.nspowner AS owner, a.grantee, a.privilege_type,
           false AS writes, false AS analyses, false AS asks, false AS in_views
    FROM own n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
    UNION ALL
    SELECT 'TABLE', n.nspname, format('%I.%I', n.nspname, c.relname), c.relowner, a.grantee, a.privilege_type, false, false,
           false, false
    FROM own n
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'S'),
         aclexplode(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, c.relowner))) a
    UNION ALL
    SELECT CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, n.nspname, p.oid::regprocedure::text, p.proowner, a.grantee, a.privilege_type,
           p.prosecdef AND p.provolatile = 'v',
           n.nspname = 'tagdb' AND p.proname IN ('thumbnail', 'embedding', 'image_factors', 'hashtag_factors'),
           n.nspname = 'tagdb' AND p.proname IN ('workers', 'submit_photo', 'request_state', 'answer', 'withdraw_photo',
                                                 'recommend_photo'),
           n.nspname = 'tagdb_store' AND p.proname IN ('at_least', 'count_vectors', 'has_embedding', 'has_factors')
    FROM own n
    JOIN pg_proc p ON p.pronamespace = n.oid,
         aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
)
SELECT CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE r.rolname::text END AS grantee, g.nspname::text AS schema,
       g.kind, g.name, string_agg(g.privilege_type, ', ' ORDER BY g.privilege_type) AS rights
FROM given g
LEFT JOIN pg_roles r ON r.oid = g.grantee
WHERE g.grantee = 0
   OR (g.grantee <> g.owner AND r.rolname IN ('tagdb_reader', 'tagdb_analyst')
       AND (g.nspname = 'tagdb_store' AND NOT g.in_views OR g.writes))
   OR (g.grantee <> g.owner AND r.rolname = 'tagdb_reader' AND g.analyses)
   OR (g.grantee <> g.owner AND r.rolname = 'tagdb_asker' AND NOT g.asks
       AND (g.nspname, g.kind, g.privilege_type) <> ('tagdb', 'SCHEMA', 'USAGE'))
   OR (g.grantee <> g.owner AND g.privilege_type = 'CREATE' AND g.kind = 'SCHEMA')
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3 DESC, 4
