SELECT t.name, t.role, t.last_used_on = current_date AS noted FROM tagdb_store.token(%(token_sha256)s) t
