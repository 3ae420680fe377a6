SELECT e.rank, e.image_id, e.uri, e.similarity, e.weight, e.carries, e.contribution
FROM tagdb.explain_recommendation(%(embedding)s, %(hashtag)s, %(neighbours)s) e
