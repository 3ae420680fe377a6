-- Every login that has a role of tagdb's, with the highest one. Superusers need none.
SELECT r.rolname, CASE WHEN pg_has_role(r.oid, 'tagdb_writer', 'USAGE') THEN 'writer'
                       WHEN pg_has_role(r.oid, 'tagdb_analyst', 'USAGE') THEN 'analyst'
                       WHEN pg_has_role(r.oid, 'tagdb_reader', 'USAGE') THEN 'reader' ELSE 'asker' END
FROM pg_roles r
WHERE r.rolcanlogin AND NOT r.rolsuper AND r.rolname <> 'tagdb_writer' -- see let_writers_in
   AND pg_has_role(r.oid, 'tagdb_asker', 'USAGE')
ORDER BY r.rolname
