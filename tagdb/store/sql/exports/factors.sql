-- A run's factors of some images, in order.
COPY (
    SELECT f.image_id, f.factors
    FROM tagdb_store.image_factors f
    WHERE f.factor_run_id = %(factor_run_id)s
      AND f.image_id = ANY (%(image_ids)s)
    ORDER BY f.image_id
) TO STDOUT (FORMAT binary)
