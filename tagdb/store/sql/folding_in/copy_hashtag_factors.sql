COPY pg_temp.incoming_hashtag_factors (factor_run_id, hashtag_id, factors, images) FROM STDIN (FORMAT binary)
