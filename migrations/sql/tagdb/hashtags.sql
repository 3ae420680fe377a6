-- Every hashtag, folded and without '#', and what its owner has decided about it.
CREATE OR REPLACE VIEW tagdb.hashtags AS
SELECT h.hashtag_id, h.hashtag, h.created_at, c.hashtag AS alias_of, h.banned, h.edit_id,
       coalesce(h.spelling, h.hashtag) AS spelling
FROM tagdb_store.hashtags h
LEFT JOIN tagdb_store.hashtags c ON c.hashtag_id = h.alias_of;
COMMENT ON VIEW tagdb.hashtags IS 'Every hashtag, folded (NFKC, casefold) and without #.';
COMMENT ON COLUMN tagdb.hashtags.hashtag_id IS 'Key: the hashtag.';
COMMENT ON COLUMN tagdb.hashtags.hashtag IS 'The hashtag, folded and without #.';
COMMENT ON COLUMN tagdb.hashtags.created_at IS 'When it was first seen here.';
COMMENT ON COLUMN tagdb.hashtags.alias_of IS 'The hashtag it counts as; NULL if it is not an alias.';
COMMENT ON COLUMN tagdb.hashtags.banned IS 'Whether it is banned: neither recommended nor counted.';
COMMENT ON COLUMN tagdb.hashtags.edit_id IS
    'Key: the edit that made it an alias or banned it, for tagdb tags undo.';
COMMENT ON COLUMN tagdb.hashtags.spelling IS
    'The hashtag as most images write it, which is what functions return: NewYork, straße.';
