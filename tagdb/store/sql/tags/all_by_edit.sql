-- Whether all images that count for what an edit led to do so because of it; NULL if there is none.
SELECT bool_and(h.edit_id IS NOT DISTINCT FROM e.edit_id)
FROM tagdb_store.hashtag_edits e
JOIN tagdb_store.hashtags c ON c.hashtag = e.into_hashtag
JOIN tagdb_store.hashtags h ON h.hashtag_id = c.hashtag_id OR h.alias_of = c.hashtag_id
WHERE e.edit_id = %(edit_id)s
  AND EXISTS (SELECT FROM tagdb_store.image_hashtags i WHERE i.hashtag_id = h.hashtag_id)
