-- Rights in views and functions that were made anew, as in grants: readers see the views and may
-- execute the public functions, writers execute all, PUBLIC gets nothing.
REVOKE ALL ON ALL TABLES IN SCHEMA tagdb FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA tagdb, tagdb_store FROM PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA tagdb TO tagdb_reader;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA tagdb TO tagdb_reader;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA tagdb_store TO tagdb_writer;
