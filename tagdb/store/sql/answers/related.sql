SELECT r.rank, r.hashtag, r.score FROM tagdb.related_hashtags(%(hashtag)s, %(top)s) r
