-- Writers are readers, as the migrations have it.
DO $$
BEGIN
    IF NOT pg_has_role('tagdb_writer', 'tagdb_reader', 'MEMBER') THEN
        GRANT tagdb_reader TO tagdb_writer;
    END IF;
EXCEPTION WHEN unique_violation THEN
    NULL; -- another database's tagdb was quicker
END
$$;
