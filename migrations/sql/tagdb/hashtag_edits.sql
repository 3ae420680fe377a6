-- All edits of hashtags, with who made them.
CREATE OR REPLACE VIEW tagdb.hashtag_edits AS
SELECT e.edit_id, e.kind, e.hashtags, array_to_string(e.hashtags, ' ') AS hashtags_text, e.into_hashtag,
       e.made_at, e.made_by, e.undone_at, e.undone_by
FROM tagdb_store.hashtag_edits e;
COMMENT ON VIEW tagdb.hashtag_edits IS
    'Every edit of hashtags: aliases, merges and bans, including those undone.';
COMMENT ON COLUMN tagdb.hashtag_edits.edit_id IS 'Key: the edit, for tagdb tags undo.';
COMMENT ON COLUMN tagdb.hashtag_edits.kind IS 'alias, merge or ban.';
COMMENT ON COLUMN tagdb.hashtag_edits.hashtags IS 'The hashtags it affects.';
COMMENT ON COLUMN tagdb.hashtag_edits.hashtags_text IS 'The same as one text.';
COMMENT ON COLUMN tagdb.hashtag_edits.into_hashtag IS 'The hashtag they count as; NULL for a ban.';
COMMENT ON COLUMN tagdb.hashtag_edits.made_at IS 'When it was made.';
COMMENT ON COLUMN tagdb.hashtag_edits.made_by IS 'The login that made it.';
COMMENT ON COLUMN tagdb.hashtag_edits.undone_at IS 'When it was undone; NULL if it was not.';
COMMENT ON COLUMN tagdb.hashtag_edits.undone_by IS 'The login that undid it.';
