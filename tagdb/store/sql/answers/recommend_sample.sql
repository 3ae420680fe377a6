-- What a factor run recommends for a sample of the stored images: those whose content has the least
-- hash, which have nothing in common but that.
SELECT i.image_id, array_agg(r.hashtag ORDER BY r.rank) AS hashtags
FROM (
    SELECT n.image_id, n.embedding
    FROM (
        SELECT x.image_id, x.content_sha256, tagdb_store.embedding_of(x.image_id) AS embedding
        FROM tagdb_store.images x
        ORDER BY x.content_sha256
    ) n
    WHERE n.embedding IS NOT NULL
    LIMIT %(images)s
) i
CROSS JOIN LATERAL tagdb_store.recommend(
    %(factor_run_id)s, i.embedding, i.image_id, %(top)s, NULL, '{}', '{}', NULL, NULL, NULL, NULL, NULL) r
GROUP BY i.image_id
