-- What a factor run recommends for some of the stored images. Those that something was rejected for are
-- left out: a new photo has no such history, and recommending would make use of it.
SELECT i.image_id, array_agg(h.hashtag_id ORDER BY r.rank) AS hashtag_ids
FROM (
    SELECT e.image_id, e.embedding
    FROM tagdb_store.embeddings e
    WHERE e.backbone_id = (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active)
      AND e.image_id = ANY (%(image_ids)s)
      AND NOT EXISTS (SELECT FROM tagdb_store.verdicts v WHERE v.image_id = e.image_id AND NOT v.accepted)
) i
CROSS JOIN LATERAL tagdb_store.recommend(
    %(factor_run_id)s, i.embedding, i.image_id, %(top)s, NULL, '{}', '{}', NULL, NULL, NULL, NULL, NULL) r
JOIN tagdb_store.hashtags h ON h.hashtag = r.hashtag
GROUP BY i.image_id
