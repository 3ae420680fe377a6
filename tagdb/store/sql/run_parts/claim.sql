SELECT tagdb_store.claim_factor_part(%(factor_run_id)s, %(part)s)
