-- A backbone's embeddings of all images that carry a hashtag that counts, in order.
COPY (
    SELECT e.image_id, e.embedding
    FROM tagdb_store.embeddings e
    WHERE e.backbone_id = %(backbone_id)s
      AND e.image_id IN (SELECT i.image_id FROM tagdb_store.interactions i)
    ORDER BY e.image_id
) TO STDOUT (FORMAT binary)
