-- Embeddings that the vector index cannot find, because they have no search vector, and search vectors
-- without their embedding.
SELECT (SELECT count(*) FROM tagdb_store.embeddings e
        WHERE e.backbone_id = %(backbone_id)s
          AND NOT EXISTS (SELECT FROM tagdb_store.search_vectors v
                          WHERE v.projection_id = %(projection_id)s AND v.image_id = e.image_id)) AS unfindable,
       (SELECT count(*) FROM tagdb_store.search_vectors v
        WHERE v.projection_id = %(projection_id)s
          AND NOT EXISTS (SELECT FROM tagdb_store.embeddings e
                          WHERE e.backbone_id = %(backbone_id)s AND e.image_id = v.image_id)) AS superfluous
