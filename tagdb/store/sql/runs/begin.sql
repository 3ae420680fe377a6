SELECT tagdb_store.new_factor_run(%(settings)s, %(versions)s)
