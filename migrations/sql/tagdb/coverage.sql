-- Images and hashtags that recommending cannot use yet. One row, always current.
CREATE OR REPLACE VIEW tagdb.coverage AS
SELECT c.*,
       round(100.0 * (c.images - c.images_without_embedding) / nullif(c.images, 0), 1)::double precision
           AS embedded_percent,
       round(100.0 * (c.images - c.images_without_hashtags) / nullif(c.images, 0), 1)::double precision
           AS with_hashtags_percent,
       round(100.0 * (c.images - c.images_without_factors) / nullif(c.images, 0), 1)::double precision
           AS with_factors_percent,
       round(100.0 * (c.hashtags - c.hashtags_without_factors) / nullif(c.hashtags, 0), 1)::double precision
           AS hashtags_known_percent
FROM (
    SELECT (SELECT count(*) FROM tagdb_store.images) AS images,
           (SELECT count(*) FROM tagdb_store.images) - v.embeddings AS images_without_embedding,
           (SELECT count(*) FROM tagdb_store.images i
            -- a look-up per image: there are far more hashtags on images than images
            WHERE (SELECT true FROM tagdb_store.image_hashtags ih
                   WHERE ih.image_id = i.image_id
                     AND ih.hashtag_id NOT IN (SELECT h.hashtag_id FROM tagdb_store.hashtags h WHERE h.banned)
                   LIMIT 1) IS NULL)
               AS images_without_hashtags,
           (SELECT count(*) FROM tagdb_store.images) - v.factors AS images_without_factors,
           (SELECT count(*) FROM tagdb_store.hashtags h WHERE NOT h.banned AND h.alias_of IS NULL) AS hashtags,
           (SELECT count(*) FROM tagdb_store.hashtags h
            WHERE NOT h.banned AND h.alias_of IS NULL
              AND NOT EXISTS (SELECT FROM tagdb_store.hashtag_factors f
                              WHERE f.factor_run_id = r.factor_run_id AND f.hashtag_id = h.hashtag_id))
               AS hashtags_without_factors,
           b.name AS backbone, r.factor_run_id, r.activated_at AS factors_since,
           v.folded_in AS images_folded_in,
           (SELECT count(*) FROM tagdb_store.hashtag_factors f
            WHERE f.factor_run_id = r.factor_run_id AND f.folded_in) AS hashtags_folded_in
    FROM (VALUES (1)) AS one (row)
    LEFT JOIN tagdb_store.backbones b ON b.active
    LEFT JOIN tagdb_store.factor_runs r ON r.status = 'active'
    CROSS JOIN LATERAL tagdb_store.count_vectors(b.backbone_id, r.factor_run_id) v
    OFFSET 0 -- computed once, not again for each percentage
) c;
COMMENT ON VIEW tagdb.coverage IS
    'One row: how many images and hashtags recommendations cannot use yet. Always current.';
COMMENT ON COLUMN tagdb.coverage.images IS 'All images.';
COMMENT ON COLUMN tagdb.coverage.images_without_embedding IS
    'Images without an embedding by the active backbone: searches do not find them.';
COMMENT ON COLUMN tagdb.coverage.images_without_hashtags IS
    'Images without a hashtag that counts: nothing is learned from them.';
COMMENT ON COLUMN tagdb.coverage.images_without_factors IS
    'Images without factors in the active factor run: they are not used as neighbours.';
COMMENT ON COLUMN tagdb.coverage.hashtags IS 'All hashtags except aliases and banned ones.';
COMMENT ON COLUMN tagdb.coverage.hashtags_without_factors IS
    'Those of them that the active factor run does not know: they cannot be recommended, unless it '
    'knows an alias.';
COMMENT ON COLUMN tagdb.coverage.backbone IS 'Name of the active backbone.';
COMMENT ON COLUMN tagdb.coverage.factor_run_id IS 'Key: the active factor run.';
COMMENT ON COLUMN tagdb.coverage.factors_since IS 'Since when it has been active.';
COMMENT ON COLUMN tagdb.coverage.images_folded_in IS
    'Images newer than the active factor run whose factors were computed from its hashtags.';
COMMENT ON COLUMN tagdb.coverage.hashtags_folded_in IS
    'Hashtags newer than the active factor run whose factors were computed from its images.';
COMMENT ON COLUMN tagdb.coverage.embedded_percent IS
    'Do not add up or average: images with an embedding by the active backbone, in percent.';
COMMENT ON COLUMN tagdb.coverage.with_hashtags_percent IS
    'Do not add up or average: images with a hashtag that counts, in percent.';
COMMENT ON COLUMN tagdb.coverage.with_factors_percent IS
    'Do not add up or average: images with factors in the active factor run, in percent.';
COMMENT ON COLUMN tagdb.coverage.hashtags_known_percent IS
    'Do not add up or average: hashtags that the active factor run knows, in percent.';
