-- Contents of each collection. Images are counted now, hashtags come from the statistics.
CREATE OR REPLACE VIEW tagdb.collection_stats AS
SELECT c.collection, c.images, c.images::double precision / sum(c.images) OVER () AS image_share,
       round(100 * c.images / sum(c.images) OVER (), 2)::double precision AS image_percent,
       c.first_seen, c.last_seen, c.bytes,
       CASE WHEN c.collection IS NOT NULL THEN (
           SELECT count(*) FROM tagdb_store.hashtag_collections k WHERE k.collection = c.collection)
       END AS hashtags,
       CASE WHEN c.collection IS NOT NULL THEN (
           SELECT round(coalesce(sum(k.images), 0) / c.images, 2)::double precision
           FROM tagdb_store.hashtag_collections k WHERE k.collection = c.collection)
       END AS hashtags_per_image,
       t.hashtags AS top_hashtags, array_to_string(t.hashtags, ' ') AS top_hashtags_text, s.refreshed_at
FROM (SELECT i.collection, count(*) AS images, sum(i.bytes)::bigint AS bytes,
             min(coalesce(i.taken_at, i.ingested_at)) AS first_seen,
             max(coalesce(i.taken_at, i.ingested_at)) AS last_seen
      FROM tagdb_store.images i
      GROUP BY i.collection) c
CROSS JOIN LATERAL (SELECT array_agg(b.hashtag ORDER BY b.images DESC, b.hashtag_id) AS hashtags
                    FROM (SELECT h.hashtag, k.images, k.hashtag_id
                          FROM tagdb_store.hashtag_collections k
                          JOIN tagdb_store.hashtags h ON h.hashtag_id = k.hashtag_id
                          WHERE k.collection = c.collection
                          ORDER BY k.images DESC, k.hashtag_id
                          LIMIT 5) b) t
CROSS JOIN tagdb_store.statistics s;
COMMENT ON VIEW tagdb.collection_stats IS
    'Images and hashtags of each collection, its first and last image, and its five most used hashtags.';
COMMENT ON COLUMN tagdb.collection_stats.collection IS
    'The collection; NULL for images without one, whose hashtags are not counted here.';
COMMENT ON COLUMN tagdb.collection_stats.images IS 'Number of its images.';
COMMENT ON COLUMN tagdb.collection_stats.image_share IS 'Its share of all images, 0 to 1.';
COMMENT ON COLUMN tagdb.collection_stats.image_percent IS 'The same in percent.';
COMMENT ON COLUMN tagdb.collection_stats.first_seen IS
    'When the earliest of its images was taken (or ingested, if unknown).';
COMMENT ON COLUMN tagdb.collection_stats.last_seen IS
    'When the latest of its images was taken (or ingested, if unknown).';
COMMENT ON COLUMN tagdb.collection_stats.bytes IS 'Total size of its photos'' files, in bytes.';
COMMENT ON COLUMN tagdb.collection_stats.hashtags IS 
    'Do not add up: number of different hashtags on its images, which other collections may have, too; NULL without a '
    'collection.';
COMMENT ON COLUMN tagdb.collection_stats.hashtags_per_image IS 
    'Do not add up or average: mean number of hashtags on its images.';
COMMENT ON COLUMN tagdb.collection_stats.top_hashtags IS 'Its five most used hashtags, the most used first.';
COMMENT ON COLUMN tagdb.collection_stats.top_hashtags_text IS 'The same as one text.';
COMMENT ON COLUMN tagdb.collection_stats.refreshed_at IS 'When its hashtags were last counted.';
