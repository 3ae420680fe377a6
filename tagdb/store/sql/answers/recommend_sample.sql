-- What a factor run recommends for a sample of the stored images: those whose content has the least
-- hash, which have nothing in common but that.
SELECT i.image_id, array_agg(r.hashtag ORDER BY r.rank) AS hashtags
FROM (
    SELECT i.image_id, e.embedding
    FROM tagdb_store.images i
    JOIN tagdb_store.embeddings e
      ON e.backbone_id = (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active)
     AND e.image_id = i.image_id
    ORDER BY i.content_sha256
    LIMIT %(images)s
) i
CROSS JOIN LATERAL tagdb_store.recommend(
    %(factor_run_id)s, i.embedding, i.image_id, %(top)s, NULL, '{}', '{}', NULL, NULL, NULL, NULL, NULL) r
GROUP BY i.image_id
