-- The hashtags that count for an image: those it has, with aliases resolved, banned ones left out, and each
-- only once. Factors and statistics are computed from this.
CREATE OR REPLACE VIEW tagdb_store.counted_hashtags AS
SELECT ih.image_id, coalesce(h.alias_of, h.hashtag_id) AS hashtag_id, ih.hashtag_id AS carried_id,
       ih.source
FROM tagdb_store.image_hashtags ih
JOIN tagdb_store.hashtags h ON h.hashtag_id = ih.hashtag_id
WHERE NOT h.banned
  -- of several spellings on one image, the hashtag itself counts, otherwise the first of its aliases
  AND (h.alias_of IS NULL OR NOT EXISTS (
        SELECT
        FROM tagdb_store.image_hashtags o
        JOIN tagdb_store.hashtags g ON g.hashtag_id = o.hashtag_id
        WHERE o.image_id = ih.image_id
          AND (o.hashtag_id = h.alias_of OR (g.alias_of = h.alias_of AND o.hashtag_id < ih.hashtag_id))));
