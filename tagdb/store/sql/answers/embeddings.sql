-- A backbone's embeddings of all images, in order.
COPY (
    SELECT e.image_id, e.embedding
    FROM tagdb_store.embeddings e
    WHERE e.backbone_id = %(backbone_id)s
    ORDER BY e.image_id
) TO STDOUT (FORMAT binary)
