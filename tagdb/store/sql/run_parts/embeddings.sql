-- A backbone's embeddings of the images of a range, in order.
COPY (
    SELECT e.image_id, e.embedding
    FROM tagdb_store.embeddings e
    WHERE e.backbone_id = %(backbone_id)s AND e.image_id > %(after)s AND e.image_id <= %(last)s
    ORDER BY e.image_id
) TO STDOUT (FORMAT binary)
