-- The names of the views of schema tagdb.
SELECT c.relname::text
FROM pg_class c
WHERE c.relnamespace = 'tagdb'::regnamespace AND c.relkind = 'v'
ORDER BY 1
