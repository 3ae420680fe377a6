-- Roles are the cluster's: a downgrade takes their rights in this database and leaves them be.
REVOKE ALL ON ALL TABLES IN SCHEMA tagdb, tagdb_store FROM tagdb_reader, tagdb_writer;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA tagdb, tagdb_store FROM tagdb_reader, tagdb_writer;
REVOKE ALL ON SCHEMA tagdb, tagdb_store FROM tagdb_reader, tagdb_writer;
