-- The columns of the public views, with their types and descriptions.
SELECT c.relname AS view, obj_description(c.oid, 'pg_class') AS view_description, a.attname AS name,
       format_type(a.atttypid, NULL) AS type, col_description(c.oid, a.attnum) AS description
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'tagdb'::regnamespace AND c.relkind = 'v'
ORDER BY c.relname, a.attnum
