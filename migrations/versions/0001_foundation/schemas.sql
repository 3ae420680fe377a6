-- tagdb is the public surface: views and functions. tagdb_store holds the tables.
CREATE SCHEMA tagdb;
COMMENT ON SCHEMA tagdb IS 'Hashtag recommendations for pictures: views and functions to use.';
COMMENT ON SCHEMA tagdb_store IS 'The tables behind schema tagdb. Not granted to readers.';
