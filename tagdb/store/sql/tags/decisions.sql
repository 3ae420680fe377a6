-- Hashtags that are aliases or banned, and which edit made them so.
SELECT h.hashtag, h.alias_of, h.banned, h.edit_id, e.made_at, e.made_by
FROM tagdb.hashtags h
LEFT JOIN tagdb.hashtag_edits e ON e.edit_id = h.edit_id
WHERE h.banned OR h.alias_of IS NOT NULL
ORDER BY h.banned, h.alias_of, h.hashtag
