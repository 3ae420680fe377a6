-- The images' factors in a run, in order, with those that were folded in.
COPY (
    SELECT f.image_id, f.factors
    FROM tagdb_store.image_factors f
    WHERE f.factor_run_id = %(factor_run_id)s
    ORDER BY f.image_id
) TO STDOUT (FORMAT binary)
