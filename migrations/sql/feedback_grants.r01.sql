-- Writers give feedback, and compute, activate and prune factor runs through functions; the defaults
-- of factors are theirs.
REVOKE INSERT, UPDATE, DELETE ON tagdb_store.factor_runs FROM tagdb_writer;
GRANT SELECT, INSERT ON tagdb_store.feedback, tagdb_store.factor_maps TO tagdb_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON tagdb_store.factor_defaults TO tagdb_writer;
GRANT SELECT ON tagdb_store.verdicts, tagdb_store.interactions TO tagdb_writer;
