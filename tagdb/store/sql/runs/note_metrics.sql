SELECT tagdb_store.note_factor_run_metrics(%(factor_run_id)s, %(metrics)s)
