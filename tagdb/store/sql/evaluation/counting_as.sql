-- By which number hashtags count, aliases resolved.
SELECT h.hashtag, coalesce(h.alias_of, h.hashtag_id)
FROM tagdb_store.hashtags h
WHERE h.hashtag = ANY (%(hashtags)s)
