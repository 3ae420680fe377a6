SELECT r.rank, r.hashtag, r.score FROM tagdb.complete_hashtags(%(prefix)s, %(known)s, %(top)s) r
