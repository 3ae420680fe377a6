-- How far the active factor run has fallen behind: images with factors and those of them that were folded
-- in, images that could be neighbours and have none, and hashtags used often enough that have none.
-- Statistics say how often that is.
WITH missing AS MATERIALIZED (
    SELECT e.image_id
    FROM tagdb_store.embeddings e
    WHERE e.backbone_id = (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active)
      AND NOT EXISTS (SELECT FROM tagdb_store.image_factors f
                      WHERE f.factor_run_id = %(factor_run_id)s AND f.image_id = e.image_id)
)
SELECT (SELECT v.factors FROM tagdb_store.count_vectors(NULL, %(factor_run_id)s) v) AS images,
       (SELECT v.folded_in FROM tagdb_store.count_vectors(NULL, %(factor_run_id)s) v) AS folded_in,
       (SELECT count(*) FROM missing m
        WHERE %(min_hashtags)s <= (SELECT count(*) FROM (
                  SELECT FROM tagdb_store.image_hashtags ih WHERE ih.image_id = m.image_id
                  LIMIT %(min_hashtags)s) few)) AS without,
       count(*) AS hashtags,
       count(*) FILTER (WHERE f.hashtag_id IS NULL) AS hashtags_without
FROM tagdb_store.hashtag_counts c
JOIN tagdb_store.hashtags h ON h.hashtag_id = c.hashtag_id AND h.alias_of IS NULL AND NOT h.banned
LEFT JOIN tagdb_store.hashtag_factors f
       ON f.factor_run_id = %(factor_run_id)s AND f.hashtag_id = c.hashtag_id
WHERE c.images >= %(min_images)s
