-- All search vectors of a projection, in any order.
COPY (
    SELECT v.image_id, v.vector
    FROM tagdb_store.search_vectors v
    WHERE v.projection_id = %(projection_id)s
) TO STDOUT (FORMAT binary)
