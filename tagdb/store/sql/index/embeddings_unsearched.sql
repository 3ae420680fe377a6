-- Embeddings of a backbone that have no search vector of a projection.
COPY (
    SELECT e.image_id, e.embedding
    FROM tagdb_store.embeddings e
    WHERE e.backbone_id = %(backbone_id)s
      AND NOT EXISTS (SELECT FROM tagdb_store.search_vectors v
                      WHERE v.projection_id = %(projection_id)s AND v.image_id = e.image_id)
    LIMIT %(images)s
) TO STDOUT (FORMAT binary)
