SELECT s.rank, s.image_id, s.uri, s.similarity
FROM tagdb.similar_images_to(%(image_id)s, %(top)s) s
