-- What a factor run recommends for some of the stored images. Those that something was rejected for are
-- left out: a new photo has no such history, and recommending would make use of it.
SELECT i.image_id, array_agg(h.hashtag_id ORDER BY r.rank) AS hashtag_ids
FROM (
    SELECT g.image_id, tagdb_store.embedding_of(g.image_id) AS embedding
    FROM unnest(%(image_ids)s::bigint[]) AS g (image_id)
    WHERE NOT EXISTS (SELECT FROM tagdb_store.verdicts v WHERE v.image_id = g.image_id AND NOT v.accepted)
    OFFSET 0
) i
CROSS JOIN LATERAL tagdb_store.recommend(
    %(factor_run_id)s, i.embedding, i.image_id, %(top)s, NULL, '{}', '{}', NULL, NULL, NULL, NULL, NULL) r
JOIN tagdb_store.hashtags h ON h.hashtag = tagdb_store.fold_hashtag(r.hashtag)  -- as most photos write it
WHERE i.embedding IS NOT NULL
GROUP BY i.image_id
