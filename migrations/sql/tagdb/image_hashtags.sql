-- The hashtags that count for each image, with enough columns for a chart.
CREATE OR REPLACE VIEW tagdb.image_hashtags AS
SELECT c.image_id, c.hashtag_id, h.hashtag, i.collection, c.source, i.taken_at, i.ingested_at,
       CASE WHEN c.carried_id = c.hashtag_id THEN h.hashtag
            ELSE (SELECT a.hashtag FROM tagdb_store.hashtags a WHERE a.hashtag_id = c.carried_id)
       END AS carried_as
FROM tagdb_store.counted_hashtags c
JOIN tagdb_store.hashtags h ON h.hashtag_id = c.hashtag_id
JOIN tagdb_store.images i ON i.image_id = c.image_id;
COMMENT ON VIEW tagdb.image_hashtags IS
    'One row per image and hashtag, with aliases resolved and banned hashtags left out.';
COMMENT ON COLUMN tagdb.image_hashtags.image_id IS 'Key: the image.';
COMMENT ON COLUMN tagdb.image_hashtags.hashtag_id IS 'Key: the hashtag that counts.';
COMMENT ON COLUMN tagdb.image_hashtags.hashtag IS 'The hashtag that counts.';
COMMENT ON COLUMN tagdb.image_hashtags.collection IS 'The image''s collection.';
COMMENT ON COLUMN tagdb.image_hashtags.source IS
    'Where the hashtag came from: ''ingest'' for a source of the image, ''photo'' if it is written in it, ''feedback'', or ''tag'' if somebody gave it.';
COMMENT ON COLUMN tagdb.image_hashtags.taken_at IS 'When the photo was taken.';
COMMENT ON COLUMN tagdb.image_hashtags.ingested_at IS 'When the image was stored.';
COMMENT ON COLUMN tagdb.image_hashtags.carried_as IS
    'The hashtag on the image; it differs from hashtag if it is an alias.';
