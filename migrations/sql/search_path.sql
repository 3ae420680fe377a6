-- For this transaction: the other files use pgvector's types and operators without a schema. They are resolved once,
-- in the schema of the extension, and stored by identity.
SELECT set_config('search_path', 'pg_catalog, ' || quote_ident(n.nspname) || ', pg_temp', true)
FROM pg_extension e
JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'vector';
