-- Contents of each collection. Images are counted now, hashtags come from the statistics.
CREATE OR REPLACE VIEW tagdb.collection_stats AS
SELECT c.collection, c.images, c.images::double precision / sum(c.images) OVER () AS image_share,
       c.first_seen, c.last_seen, c.bytes,
       (SELECT count(*) FROM tagdb_store.hashtag_collections k WHERE k.collection = c.collection) AS hashtags,
       CASE WHEN c.collection IS NOT NULL THEN (
           SELECT coalesce(sum(k.images), 0)::double precision / c.images
           FROM tagdb_store.hashtag_collections k WHERE k.collection = c.collection)
       END AS hashtags_per_image,
       (SELECT array_agg(t.hashtag ORDER BY t.images DESC, t.hashtag_id)
        FROM (SELECT h.hashtag, k.images, k.hashtag_id
              FROM tagdb_store.hashtag_collections k
              JOIN tagdb_store.hashtags h ON h.hashtag_id = k.hashtag_id
              WHERE k.collection = c.collection
              ORDER BY k.images DESC, k.hashtag_id
              LIMIT 5) t) AS top_hashtags,
       s.refreshed_at
FROM (SELECT i.collection, count(*) AS images, sum(i.bytes)::bigint AS bytes,
             min(coalesce(i.taken_at, i.ingested_at)) AS first_seen,
             max(coalesce(i.taken_at, i.ingested_at)) AS last_seen
      FROM tagdb_store.images i
      GROUP BY i.collection) c
CROSS JOIN tagdb_store.statistics s;
COMMENT ON VIEW tagdb.collection_stats IS
    'Images and hashtags of each collection, its first and last image, and its five most used hashtags.';
COMMENT ON COLUMN tagdb.collection_stats.collection IS
    'The collection; NULL for images without one, whose hashtags are not counted here.';
COMMENT ON COLUMN tagdb.collection_stats.images IS 'Number of its images.';
COMMENT ON COLUMN tagdb.collection_stats.image_share IS 'Its share of all images, 0 to 1.';
COMMENT ON COLUMN tagdb.collection_stats.first_seen IS
    'When the earliest of its images was taken (or ingested, if unknown).';
COMMENT ON COLUMN tagdb.collection_stats.last_seen IS
    'When the latest of its images was taken (or ingested, if unknown).';
COMMENT ON COLUMN tagdb.collection_stats.bytes IS 'Total size of its photos'' files.';
COMMENT ON COLUMN tagdb.collection_stats.hashtags IS 'Number of different hashtags on its images.';
COMMENT ON COLUMN tagdb.collection_stats.hashtags_per_image IS 'Mean number of hashtags on its images.';
COMMENT ON COLUMN tagdb.collection_stats.top_hashtags IS 'Its five most used hashtags, the most used first.';
COMMENT ON COLUMN tagdb.collection_stats.refreshed_at IS 'When its hashtags were last counted.';
