SELECT tagdb_store.activate_factor_run(%(factor_run_id)s)
