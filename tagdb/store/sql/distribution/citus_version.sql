-- Which Citus the database has, if any.
SELECT e.extversion FROM pg_extension e WHERE e.extname = 'citus'
