-- tagdb is the public interface: views and functions. tagdb_store contains the tables.
CREATE SCHEMA tagdb;
COMMENT ON SCHEMA tagdb IS 'Hashtag recommendations for pictures: the public views and functions.';
COMMENT ON SCHEMA tagdb_store IS 'The tables behind schema tagdb. Not granted to readers.';
