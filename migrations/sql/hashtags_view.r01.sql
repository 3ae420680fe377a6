-- Every hashtag, folded and without '#'.
CREATE VIEW tagdb.hashtags AS
SELECT h.hashtag_id, h.hashtag, h.created_at
FROM tagdb_store.hashtags h;
COMMENT ON VIEW tagdb.hashtags IS 'Every hashtag, folded (NFKC, casefold) and without #.';
