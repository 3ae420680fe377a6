COPY pg_temp.incoming_image_factors (factor_run_id, image_id, factors) FROM STDIN (FORMAT binary)
