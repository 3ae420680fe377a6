-- The axes of a projection, in order.
COPY (
    SELECT a.direction
    FROM tagdb_store.projection_axes a
    WHERE a.projection_id = %(projection_id)s
    ORDER BY a.axis
) TO STDOUT (FORMAT binary)
