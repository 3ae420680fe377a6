-- Images that could be neighbours but have no factors in a run: those that came after it, mostly. These are
-- found first, because counting the hashtags of all images takes much longer.
WITH missing AS MATERIALIZED (
    SELECT e.image_id
    FROM tagdb_store.embeddings e
    WHERE e.backbone_id = (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active)
      AND NOT EXISTS (SELECT FROM tagdb_store.image_factors f
                      WHERE f.factor_run_id = %(factor_run_id)s AND f.image_id = e.image_id)
)
SELECT m.image_id
FROM missing m
WHERE %(min_hashtags)s <= (SELECT count(*) FROM tagdb_store.image_hashtags ih WHERE ih.image_id = m.image_id)
ORDER BY m.image_id
