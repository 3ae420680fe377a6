-- Whether embeddings, search vectors and image factors are distributed: then new tables of theirs have to be, too, which takes a
-- function that PostgreSQL keeps as text.
SELECT EXISTS (
    SELECT FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'tagdb_store' AND p.proname = 'spread' AND p.prosqlbody IS NULL) AS distributed
