-- Of some search vectors at random, how many are not what their embedding gives: both are of length 1, so
-- that minus their inner product is -1 where they are the same.
SELECT count(*) AS looked_at,
       count(*) FILTER (WHERE 1 + (few.vector operator({vector}.<#>)
                                   tagdb_store.search_vector(few.projection_id, few.embedding)) > 0.02) AS other
FROM (
    SELECT v.projection_id, v.vector, e.embedding
    FROM tagdb_store.search_vectors v TABLESAMPLE SYSTEM (%(percent)s)
    JOIN tagdb_store.embeddings e ON e.backbone_id = %(backbone_id)s AND e.image_id = v.image_id
    WHERE v.projection_id = %(projection_id)s
    LIMIT %(most)s
) few
