-- Readers see the views and may execute the functions. Writers also ingest and recompute. Nobody
-- else gets anything: functions would be executable by PUBLIC unless revoked.
REVOKE ALL ON SCHEMA tagdb, tagdb_store FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA tagdb, tagdb_store FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA tagdb, tagdb_store FROM PUBLIC;
GRANT USAGE ON SCHEMA tagdb TO tagdb_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA tagdb TO tagdb_reader;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA tagdb TO tagdb_reader;
DO $$
BEGIN
    IF NOT pg_has_role('tagdb_writer', 'tagdb_reader', 'MEMBER') THEN
        GRANT tagdb_reader TO tagdb_writer;
    END IF;
EXCEPTION WHEN unique_violation THEN
    NULL; -- another database's tagdb was quicker, as with the roles themselves
END
$$;
GRANT USAGE ON SCHEMA tagdb_store TO tagdb_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tagdb_store TO tagdb_writer;
REVOKE INSERT, UPDATE, DELETE ON tagdb_store.alembic_version FROM tagdb_writer;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA tagdb_store TO tagdb_writer;
