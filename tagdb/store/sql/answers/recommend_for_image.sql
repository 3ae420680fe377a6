SELECT r.rank, r.hashtag, r.score
FROM tagdb.recommend_for_image(
    %(image_id)s, %(top)s, %(neighbours)s, %(known)s, %(exclude)s, %(known_weight)s, %(diversity)s,
    %(popularity_discount)s, %(min_score)s, %(collection)s) r
