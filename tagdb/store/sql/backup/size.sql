-- About how many bytes a backup will have, as measured: vectors are longer as text, photos do not compress.
SELECT coalesce(sum(pg_table_size(c.oid) * CASE
    WHEN EXISTS (SELECT FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
                 WHERE a.attrelid = c.oid AND t.typname = 'halfvec') THEN 2.1
    WHEN c.relname = 'image_files' THEN 1.17
    ELSE 0.25 END), 0)::bigint
FROM pg_class c
WHERE c.relnamespace = 'tagdb_store'::regnamespace AND c.relkind = 'r' AND c.relname <> 'requests'
