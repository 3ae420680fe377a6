SELECT e.rank, e.image_id, e.uri, e.similarity, e.weight, e.carries, e.contribution
FROM tagdb.explain_recommendation_for_image(%(image_id)s, %(hashtag)s, %(neighbours)s) e
