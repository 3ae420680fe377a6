-- Use of each hashtag, decisions about it, and whether the active factor run knows it. Counts come from the
-- statistics; the rest is current.
CREATE OR REPLACE VIEW tagdb.hashtag_stats AS
SELECT h.hashtag_id, h.hashtag, coalesce(n.images, 0) AS images,
       -- an edit counts its hashtags also on images newer than the last refresh, so limit to 1
       least(coalesce(n.images, 0), s.images)::double precision / nullif(s.images, 0) AS image_share,
       round(100 * least(coalesce(n.images, 0), s.images)::numeric / nullif(s.images, 0), 2)::double precision
           AS image_percent,
       r.rank,
       n.first_seen, n.last_seen,
       (SELECT count(*) FROM tagdb_store.hashtag_collections k WHERE k.hashtag_id = h.hashtag_id) AS collections,
       (SELECT array_agg(k.collection ORDER BY k.images DESC, k.collection)
        FROM tagdb_store.hashtag_collections k WHERE k.hashtag_id = h.hashtag_id) AS collection_names,
       (SELECT string_agg(k.collection, ', ' ORDER BY k.images DESC, k.collection)
        FROM tagdb_store.hashtag_collections k WHERE k.hashtag_id = h.hashtag_id) AS collection_names_text,
       round(n.beside::numeric / n.images, 2)::double precision AS hashtags_beside,
       -- a look-up per hashtag; with EXISTS, PostgreSQL would read all of them for the first page
       (SELECT true FROM tagdb_store.hashtag_factors f
        WHERE f.factor_run_id = (SELECT r.factor_run_id FROM tagdb_store.factor_runs r
                                 WHERE r.status = 'active')
          AND f.hashtag_id = h.hashtag_id) IS NOT NULL AS in_active_run,
       h.banned,
       (SELECT c.hashtag FROM tagdb_store.hashtags c WHERE c.hashtag_id = h.alias_of) AS alias_of,
       (SELECT array_agg(a.hashtag ORDER BY a.hashtag)
        FROM tagdb_store.hashtags a WHERE a.alias_of = h.hashtag_id) AS aliases,
       (SELECT string_agg(a.hashtag, ' ' ORDER BY a.hashtag)
        FROM tagdb_store.hashtags a WHERE a.alias_of = h.hashtag_id) AS aliases_text,
       s.refreshed_at
FROM tagdb_store.hashtags h
LEFT JOIN tagdb_store.hashtag_counts n ON n.hashtag_id = h.hashtag_id
LEFT JOIN tagdb_store.hashtag_ranks r ON r.hashtag_id = h.hashtag_id
CROSS JOIN tagdb_store.statistics s;
COMMENT ON VIEW tagdb.hashtag_stats IS
    'Images of each hashtag, its first and last image, the number of other hashtags on them, and its '
    'collections. Images with an alias count for the hashtag it stands for. Aliases and banned hashtags'
    ' have 0 images.';
COMMENT ON COLUMN tagdb.hashtag_stats.hashtag_id IS 'Key: the hashtag.';
COMMENT ON COLUMN tagdb.hashtag_stats.hashtag IS 'The hashtag.';
COMMENT ON COLUMN tagdb.hashtag_stats.images IS 
    'Images with it or one of its aliases. Over several hashtags they add up to uses of hashtags.';
COMMENT ON COLUMN tagdb.hashtag_stats.image_share IS 
    'Do not add up: share of all images with it, 0 to 1; an image has several hashtags.';
COMMENT ON COLUMN tagdb.hashtag_stats.image_percent IS 'Do not add up: the same in percent.';
COMMENT ON COLUMN tagdb.hashtag_stats.rank IS
    'Do not add up or average: place among all hashtags, 1 for the most used; NULL for those on no image.';
COMMENT ON COLUMN tagdb.hashtag_stats.first_seen IS
    'When the earliest of its images was taken (or ingested, if unknown).';
COMMENT ON COLUMN tagdb.hashtag_stats.last_seen IS
    'When the latest of its images was taken (or ingested, if unknown).';
COMMENT ON COLUMN tagdb.hashtag_stats.collections IS 'Do not add up: number of collections in which it occurs.';
COMMENT ON COLUMN tagdb.hashtag_stats.collection_names IS
    'The collections in which it occurs, the one with most of its images first.';
COMMENT ON COLUMN tagdb.hashtag_stats.collection_names_text IS 'The same as one text.';
COMMENT ON COLUMN tagdb.hashtag_stats.hashtags_beside IS 
    'Do not add up or average: mean number of other hashtags on its images.';
COMMENT ON COLUMN tagdb.hashtag_stats.in_active_run IS
    'Whether the active factor run knows it. Only hashtags it knows, directly or by an alias, can be '
    'recommended.';
COMMENT ON COLUMN tagdb.hashtag_stats.banned IS 'Whether it is banned: neither recommended nor counted.';
COMMENT ON COLUMN tagdb.hashtag_stats.alias_of IS 'The hashtag it counts as; NULL if it is not an alias.';
COMMENT ON COLUMN tagdb.hashtag_stats.aliases IS 'The hashtags that count as this one.';
COMMENT ON COLUMN tagdb.hashtag_stats.aliases_text IS 'The same as one text.';
COMMENT ON COLUMN tagdb.hashtag_stats.refreshed_at IS 'When the counts were last computed for all hashtags.';
