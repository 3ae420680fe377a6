-- What is recommended for some images, best first.
SELECT i.image_id, r.rank, r.hashtag, r.score
FROM unnest(%(image_ids)s::bigint[]) AS i (image_id)
CROSS JOIN LATERAL tagdb.recommend_for_image(i.image_id, top => %(top)s, min_score => %(min_score)s) r
ORDER BY i.image_id, r.rank
