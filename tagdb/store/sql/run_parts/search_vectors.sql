-- The search vectors of a projection of the images of a range, in order.
COPY (
    SELECT v.image_id, v.vector
    FROM tagdb_store.search_vectors v
    WHERE v.projection_id = %(projection_id)s AND v.image_id > %(after)s AND v.image_id <= %(last)s
    ORDER BY v.image_id
) TO STDOUT (FORMAT binary)
