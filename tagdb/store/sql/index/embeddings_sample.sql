-- Embeddings of a backbone, spread evenly over its images by a number that says nothing of them.
COPY (
    SELECT e.embedding
    FROM tagdb_store.embeddings e
    WHERE e.backbone_id = %(backbone_id)s
      AND mod(hashint8(e.image_id), %(one_in)s) = 0
    LIMIT %(images)s
) TO STDOUT (FORMAT binary)
