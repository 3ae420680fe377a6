SELECT s.rank, s.image_id, s.uri, s.similarity
FROM tagdb.similar_images(%(embedding)s, %(top)s) s
