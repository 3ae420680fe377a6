-- The numbers of hashtags.
SELECT h.hashtag, h.hashtag_id FROM tagdb_store.hashtags h WHERE h.hashtag = ANY (%(hashtags)s)
