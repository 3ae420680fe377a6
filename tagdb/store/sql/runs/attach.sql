SELECT tagdb_store.attach_factor_run(%(factor_run_id)s)
