COPY {table} (factor_run_id, image_id, factors) FROM STDIN (FORMAT binary)
