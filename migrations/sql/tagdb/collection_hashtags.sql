-- The hashtags of each collection.
CREATE OR REPLACE VIEW tagdb.collection_hashtags AS
SELECT k.collection, k.hashtag_id, h.hashtag, k.images,
       rank() OVER (PARTITION BY k.collection ORDER BY k.images DESC) AS rank, s.refreshed_at
FROM tagdb_store.hashtag_collections k
JOIN tagdb_store.hashtags h ON h.hashtag_id = k.hashtag_id
CROSS JOIN tagdb_store.statistics s;
COMMENT ON VIEW tagdb.collection_hashtags IS
    'How many images of each collection have which hashtag. Images without a collection are not counted here.';
COMMENT ON COLUMN tagdb.collection_hashtags.collection IS 'The collection.';
COMMENT ON COLUMN tagdb.collection_hashtags.hashtag_id IS 'Key: the hashtag.';
COMMENT ON COLUMN tagdb.collection_hashtags.hashtag IS 'The hashtag.';
COMMENT ON COLUMN tagdb.collection_hashtags.images IS
    'Images of the collection with the hashtag. Over several hashtags they add up to uses of hashtags.';
COMMENT ON COLUMN tagdb.collection_hashtags.rank IS
    'Do not add up or average: place in the collection, 1 for the most used.';
COMMENT ON COLUMN tagdb.collection_hashtags.refreshed_at IS 'When they were last counted.';
