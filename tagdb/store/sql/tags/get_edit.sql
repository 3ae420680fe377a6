SELECT e.edit_id, e.kind, e.hashtags, e.into_hashtag FROM tagdb.hashtag_edits e WHERE e.edit_id = %(edit_id)s
