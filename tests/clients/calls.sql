-- How SQL calls tagdb. The caller sets :embedding.
\pset format csv

\echo # named arguments
SELECT rank, hashtag FROM tagdb.recommend_for_embedding(:'embedding', top => 3);
SELECT rank, hashtag FROM tagdb.recommend_for_embedding(
    top => 3, known => '{}', exclude => '{#Nowhere}', neighbours => NULL, embedding => :'embedding');

\echo # defaults
SELECT count(*) FROM tagdb.recommend_for_embedding(:'embedding');
SELECT count(*) FROM tagdb.recommend_for_embedding(NULL);
SELECT count(*) FROM tagdb.recommend_for_image(-1);

\echo # for each of some images
SELECT i.image_id, r.rank, r.hashtag
FROM (SELECT image_id FROM tagdb.images WHERE has_embedding ORDER BY image_id LIMIT 5) i
CROSS JOIN LATERAL tagdb.recommend_for_image(i.image_id, top => 2) r
ORDER BY i.image_id, r.rank;

\echo # with the hashtags that they have
SELECT count(*) AS carried_already
FROM (SELECT image_id, array_agg(hashtag) AS hashtags FROM tagdb.image_hashtags GROUP BY image_id) i
CROSS JOIN LATERAL tagdb.recommend_for_image(i.image_id, known => i.hashtags) r
WHERE r.hashtag = ANY (i.hashtags);

\echo # prepared
PREPARE best (text, integer) AS
SELECT rank, hashtag FROM tagdb.recommend_for_embedding($1::halfvec, top => $2);
EXECUTE best(:'embedding', 3);
SET plan_cache_mode = force_generic_plan;
EXECUTE best(:'embedding', 3);
SET plan_cache_mode = force_custom_plan;
EXECUTE best(:'embedding', 3);
DEALLOCATE best;
RESET plan_cache_mode;

\echo # photos alike
SELECT image_id AS image FROM tagdb.images WHERE has_embedding ORDER BY image_id LIMIT 1 \gset
SELECT count(*), bool_or(image_id = :image) AS itself FROM tagdb.similar_images_to(:image, top => 4);

\echo # a temporary view, as BI tools make them
CREATE TEMPORARY VIEW weekly AS
SELECT starts_on, hashtag, images FROM tagdb.hashtag_trend_weekly;
SELECT count(*) > 10 AS weeks FROM weekly;
