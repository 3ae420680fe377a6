-- The latest feedback per image and hashtag, with aliases resolved.
CREATE OR REPLACE VIEW tagdb_store.verdicts AS
SELECT DISTINCT ON (f.image_id, coalesce(h.alias_of, h.hashtag_id))
       f.image_id, coalesce(h.alias_of, h.hashtag_id) AS hashtag_id, f.accepted
FROM tagdb_store.feedback f
JOIN tagdb_store.hashtags h ON h.hashtag_id = f.hashtag_id
ORDER BY f.image_id, coalesce(h.alias_of, h.hashtag_id), f.feedback_id DESC;
