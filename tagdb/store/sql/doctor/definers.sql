-- What is in tagdb's schemas and does not belong to whom the schema does, and functions that run with their
-- owner's rights without a search path of their own: whoever calls them could lead them astray.
SELECT found.kind, found.name, pg_get_userbyid(found.owner)::text AS owner, found.definer,
       found.definer AND NOT found.fixed AS astray, pg_get_userbyid(n.nspowner)::text AS schema_owner,
       found.owner <> n.nspowner AS strange
FROM pg_namespace n
JOIN (
    SELECT c.relnamespace AS schema, CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind,
           format('%I.%I', c.relnamespace::regnamespace::text, c.relname) AS name, c.relowner AS owner,
           false AS definer, true AS fixed
    FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v')
    UNION ALL
    SELECT p.pronamespace, CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, p.oid::regprocedure::text, p.proowner, p.prosecdef,
           EXISTS (SELECT FROM unnest(p.proconfig) o WHERE o LIKE 'search_path=%')
    FROM pg_proc p
) found ON found.schema = n.oid
WHERE n.nspname IN ('tagdb', 'tagdb_store')
  AND (found.owner <> n.nspowner OR (found.definer AND NOT found.fixed))
ORDER BY found.kind, found.name
