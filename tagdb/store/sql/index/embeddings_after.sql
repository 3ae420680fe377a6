-- The next embeddings of a backbone in the order of their images.
COPY (
    SELECT e.image_id, e.embedding
    FROM tagdb_store.embeddings e
    WHERE e.backbone_id = %(backbone_id)s
      AND e.image_id > %(image_id)s
    ORDER BY e.image_id
    LIMIT %(images)s
) TO STDOUT (FORMAT binary)
