-- How often each hashtag is used.
CREATE VIEW tagdb.hashtag_stats AS
SELECT h.hashtag_id, h.hashtag, s.images,
       s.images::double precision / nullif((SELECT count(*) FROM tagdb_store.images), 0) AS image_share,
       s.first_seen, s.last_seen, s.collections
FROM tagdb_store.hashtags h
CROSS JOIN LATERAL (
    SELECT count(*) AS images,
           min(coalesce(i.taken_at, i.ingested_at)) AS first_seen,
           max(coalesce(i.taken_at, i.ingested_at)) AS last_seen,
           count(DISTINCT i.collection) AS collections
    FROM tagdb_store.image_hashtags ih
    JOIN tagdb_store.images i ON i.image_id = ih.image_id
    WHERE ih.hashtag_id = h.hashtag_id
) s;
COMMENT ON VIEW tagdb.hashtag_stats IS 'How many images carry each hashtag, since when, and in how many collections.';
COMMENT ON COLUMN tagdb.hashtag_stats.image_share IS 'Share of all images that carry the hashtag, 0 to 1.';
COMMENT ON COLUMN tagdb.hashtag_stats.first_seen IS 'When the earliest of its images was taken (ingested, where unknown).';
