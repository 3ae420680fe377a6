SELECT tagdb_store.new_factor_run(
    %(factors)s, %(alpha)s, %(regularization)s, %(iterations)s, %(min_images)s, %(seed)s,
    %(neighbours)s, %(similarity_exponent)s, %(versions)s)
