SELECT tagdb_store.discard_factor_run(%(factor_run_id)s)
