-- Pairs of hashtags on the same images, from both sides, so that one condition selects the partners of a
-- hashtag.
CREATE OR REPLACE VIEW tagdb.hashtag_pairs AS
SELECT a.hashtag, b.hashtag AS with_hashtag, p.images, na.images AS hashtag_images,
       nb.images AS with_images,
       -- an edit counts its hashtags also on images newer than the last refresh, so limit to 1
       least(p.images, s.images)::double precision / s.images AS support,
       least(p.images, na.images)::double precision / na.images AS confidence,
       p.images::double precision * s.images / (na.images::double precision * nb.images) AS lift,
       ln(p.images::double precision * s.images / (na.images::double precision * nb.images))
           / ln(2::double precision) AS pmi,
       s.refreshed_at
FROM (SELECT t.hashtag_id, t.other_id, t.images FROM tagdb_store.hashtag_pairs t
      UNION ALL
      SELECT t.other_id, t.hashtag_id, t.images FROM tagdb_store.hashtag_pairs t) p
JOIN tagdb_store.hashtags a ON a.hashtag_id = p.hashtag_id
JOIN tagdb_store.hashtags b ON b.hashtag_id = p.other_id
JOIN tagdb_store.hashtag_counts na ON na.hashtag_id = p.hashtag_id
JOIN tagdb_store.hashtag_counts nb ON nb.hashtag_id = p.other_id
CROSS JOIN tagdb_store.statistics s
WHERE s.images > 0;
COMMENT ON VIEW tagdb.hashtag_pairs IS
    'Pairs of hashtags that share tagdb.statistics.min_images images or more. Each pair has two rows, '
    'one from each side.';
COMMENT ON COLUMN tagdb.hashtag_pairs.hashtag IS 'A hashtag.';
COMMENT ON COLUMN tagdb.hashtag_pairs.with_hashtag IS 'Another hashtag on the same images.';
COMMENT ON COLUMN tagdb.hashtag_pairs.images IS 'Images with both.';
COMMENT ON COLUMN tagdb.hashtag_pairs.hashtag_images IS 'Images with hashtag.';
COMMENT ON COLUMN tagdb.hashtag_pairs.with_images IS 'Images with with_hashtag.';
COMMENT ON COLUMN tagdb.hashtag_pairs.support IS 'Share of all images with both, 0 to 1.';
COMMENT ON COLUMN tagdb.hashtag_pairs.confidence IS
    'Share of the images with hashtag that also have with_hashtag, 0 to 1.';
COMMENT ON COLUMN tagdb.hashtag_pairs.lift IS 'How many times as often they occur together as by chance.';
COMMENT ON COLUMN tagdb.hashtag_pairs.pmi IS 'Pointwise mutual information, in bits: the binary logarithm of lift.';
COMMENT ON COLUMN tagdb.hashtag_pairs.refreshed_at IS 'When the pairs of all hashtags were last computed.';
