-- The number of the active factor run.
SELECT r.factor_run_id FROM tagdb_store.factor_runs r WHERE r.status = 'active'
