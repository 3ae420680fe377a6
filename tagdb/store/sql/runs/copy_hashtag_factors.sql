COPY {table} (factor_run_id, hashtag_id, factors, images) FROM STDIN (FORMAT binary)
