-- Factors of a run that recommending cannot use, because they are not finite or not as many as the run's:
-- of all hashtags, and of all images or those on some pages at random; and the greatest length of the others.
SELECT 'image' AS kind, count(*) AS looked_at,
       count(*) FILTER (WHERE {vector}.vector_dims(f.factors) <> %(factors)s
                           OR NOT {vector}.l2_norm(f.factors) < 1e6) AS useless,
       max({vector}.l2_norm(f.factors)) FILTER (WHERE {vector}.l2_norm(f.factors) < 1e6) AS longest
FROM tagdb_store.image_factors f TABLESAMPLE SYSTEM (%(percent)s)
WHERE f.factor_run_id = %(factor_run_id)s
UNION ALL
SELECT 'hashtag', count(*),
       count(*) FILTER (WHERE {vector}.vector_dims(f.factors) <> %(factors)s OR NOT f.norm < 1e6),
       max(f.norm) FILTER (WHERE f.norm < 1e6)
FROM tagdb_store.hashtag_factors f
WHERE f.factor_run_id = %(factor_run_id)s
