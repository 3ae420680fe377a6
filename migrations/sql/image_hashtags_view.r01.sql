-- Which image carries which hashtag, with enough beside it for a chart.
CREATE VIEW tagdb.image_hashtags AS
SELECT ih.image_id, ih.hashtag_id, h.hashtag, i.collection, ih.source, i.taken_at, i.ingested_at
FROM tagdb_store.image_hashtags ih
JOIN tagdb_store.hashtags h ON h.hashtag_id = ih.hashtag_id
JOIN tagdb_store.images i ON i.image_id = ih.image_id;
COMMENT ON VIEW tagdb.image_hashtags IS 'One row for each hashtag on each image.';
