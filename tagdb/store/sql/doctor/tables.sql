-- The columns and constraints of tagdb's tables, and the tables whose foreign keys are switched off.
SELECT c.relname AS name,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
       ARRAY(SELECT k.conname::text FROM pg_constraint k WHERE k.conrelid = c.oid) AS constraints,
       ARRAY(SELECT k.conname::text FROM pg_constraint k
             WHERE k.conrelid = c.oid AND NOT k.convalidated) AS unproven,
       EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgenabled IN ('D', 'R')) AS switched_off
FROM pg_class c
WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'tagdb_store')
  AND c.relkind IN ('r', 'p')
ORDER BY c.relname
