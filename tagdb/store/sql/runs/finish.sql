SELECT tagdb_store.finish_factor_run(
    %(factor_run_id)s, %(images)s, %(hashtags)s, %(interactions)s, %(seconds)s, %(min_hashtags)s)
