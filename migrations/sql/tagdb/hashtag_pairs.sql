-- Pairs of hashtags on the same images, from both sides, so that one condition selects the partners of a
-- hashtag.
CREATE OR REPLACE VIEW tagdb.hashtag_pairs AS
SELECT a.hashtag, b.hashtag AS with_hashtag, p.images, na.images AS hashtag_images,
       nb.images AS with_images,
       -- an edit counts its hashtags also on images newer than the last refresh, so limit to 1
       least(p.images, s.images)::double precision / s.images AS support,
       round(100 * least(p.images, s.images)::numeric / s.images, 2)::double precision AS support_percent,
       least(p.images, na.images)::double precision / na.images AS confidence,
       round(100 * least(p.images, na.images)::numeric / na.images, 1)::double precision AS confidence_percent,
       round((p.images / e.images)::numeric, 2)::double precision AS lift,
       round(tagdb_store.at_least(p.images, e.images)::numeric, 2)::double precision AS lift_low,
       round((ln(p.images / e.images) / ln(2::double precision))::numeric, 2)::double precision AS pmi,
       ra.rank AS hashtag_rank, rb.rank AS with_rank, a.hashtag || ' + ' || b.hashtag AS pair, s.refreshed_at
FROM (SELECT t.hashtag_id, t.other_id, t.images FROM tagdb_store.hashtag_pairs t
      UNION ALL
      SELECT t.other_id, t.hashtag_id, t.images FROM tagdb_store.hashtag_pairs t) p
JOIN tagdb_store.hashtags a ON a.hashtag_id = p.hashtag_id
JOIN tagdb_store.hashtags b ON b.hashtag_id = p.other_id
JOIN tagdb_store.hashtag_counts na ON na.hashtag_id = p.hashtag_id
JOIN tagdb_store.hashtag_counts nb ON nb.hashtag_id = p.other_id
LEFT JOIN tagdb_store.hashtag_ranks ra ON ra.hashtag_id = p.hashtag_id
LEFT JOIN tagdb_store.hashtag_ranks rb ON rb.hashtag_id = p.other_id
CROSS JOIN tagdb_store.statistics s
-- by chance
CROSS JOIN LATERAL (SELECT na.images::double precision * nb.images / s.images AS images) e
WHERE s.images > 0;
COMMENT ON VIEW tagdb.hashtag_pairs IS
    'Pairs of hashtags that share tagdb.statistics.min_images images or more. Each pair has two rows, '
    'one from each side.';
COMMENT ON COLUMN tagdb.hashtag_pairs.hashtag IS 'A hashtag.';
COMMENT ON COLUMN tagdb.hashtag_pairs.with_hashtag IS 'Another hashtag on the same images.';
COMMENT ON COLUMN tagdb.hashtag_pairs.images IS 'Do not add up over all rows: images with both. Each pair has two rows, one from each side.';
COMMENT ON COLUMN tagdb.hashtag_pairs.hashtag_images IS 'Do not add up: images with hashtag.';
COMMENT ON COLUMN tagdb.hashtag_pairs.with_images IS 'Do not add up: images with with_hashtag.';
COMMENT ON COLUMN tagdb.hashtag_pairs.support IS 
    'Do not add up: share of all images with both, 0 to 1.';
COMMENT ON COLUMN tagdb.hashtag_pairs.support_percent IS 'Do not add up: the same in percent.';
COMMENT ON COLUMN tagdb.hashtag_pairs.confidence IS
    'Do not add up: share of the images with hashtag that also have with_hashtag, 0 to 1.';
COMMENT ON COLUMN tagdb.hashtag_pairs.confidence_percent IS 'Do not add up: the same in percent.';
COMMENT ON COLUMN tagdb.hashtag_pairs.lift IS 
    'Do not add up or average: how many times as often they occur together as by chance. Three accidental photos of two '
    'rare hashtags have the highest; rank by lift_low.';
COMMENT ON COLUMN tagdb.hashtag_pairs.lift_low IS
    'Do not add up or average: what lift is at least, with 95 % certainty: the more images, the closer to lift.';
COMMENT ON COLUMN tagdb.hashtag_pairs.pmi IS 
    'Do not add up or average: pointwise mutual information, in bits: the binary logarithm of lift.';
COMMENT ON COLUMN tagdb.hashtag_pairs.hashtag_rank IS
    'Do not add up or average: place of hashtag among all hashtags, 1 for the most used.';
COMMENT ON COLUMN tagdb.hashtag_pairs.with_rank IS
    'Do not add up or average: place of with_hashtag among all hashtags, 1 for the most used.';
COMMENT ON COLUMN tagdb.hashtag_pairs.pair IS 'Both as one text, for charts with a bar for each pair.';
COMMENT ON COLUMN tagdb.hashtag_pairs.refreshed_at IS 'When the pairs of all hashtags were last computed.';
