-- The search vectors of some images in a projection, in order.
COPY (
    SELECT v.image_id, v.vector
    FROM tagdb_store.search_vectors v
    WHERE v.projection_id = %(projection_id)s AND v.image_id = ANY (%(image_ids)s)
    ORDER BY v.image_id
) TO STDOUT (FORMAT binary)
