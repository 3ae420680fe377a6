SELECT tagdb_store.prune_factor_run(%(factor_run_id)s)
