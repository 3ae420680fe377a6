-- A backbone's embeddings of some images, in order.
COPY (
    SELECT e.image_id, e.embedding
    FROM tagdb_store.embeddings e
    WHERE e.backbone_id = %(backbone_id)s
      AND e.image_id = ANY (%(image_ids)s)
    ORDER BY e.image_id
) TO STDOUT (FORMAT binary)
