-- How often each hashtag is used, and what its owner and the active factor run make of it. The counts
-- are the statistics'; the rest is as of now.
CREATE OR REPLACE VIEW tagdb.hashtag_stats AS
SELECT h.hashtag_id, h.hashtag, coalesce(n.images, 0) AS images,
       -- an edit counts its hashtags on images that the last refresh did not know, hence at most 1
       least(coalesce(n.images, 0), s.images)::double precision / nullif(s.images, 0) AS image_share,
       n.first_seen, n.last_seen,
       (SELECT count(*) FROM tagdb_store.hashtag_collections k WHERE k.hashtag_id = h.hashtag_id) AS collections,
       (SELECT array_agg(k.collection ORDER BY k.images DESC, k.collection)
        FROM tagdb_store.hashtag_collections k WHERE k.hashtag_id = h.hashtag_id) AS collection_names,
       n.hashtags_beside,
       -- a look-up for each hashtag; with EXISTS, PostgreSQL would read all of them for the first page
       (SELECT true FROM tagdb_store.hashtag_factors f
        WHERE f.factor_run_id = (SELECT r.factor_run_id FROM tagdb_store.factor_runs r
                                 WHERE r.status = 'active')
          AND f.hashtag_id = h.hashtag_id) IS NOT NULL AS in_active_run,
       h.banned,
       (SELECT c.hashtag FROM tagdb_store.hashtags c WHERE c.hashtag_id = h.alias_of) AS alias_of,
       (SELECT array_agg(a.hashtag ORDER BY a.hashtag)
        FROM tagdb_store.hashtags a WHERE a.alias_of = h.hashtag_id) AS aliases,
       s.refreshed_at
FROM tagdb_store.hashtags h
LEFT JOIN tagdb_store.hashtag_counts n ON n.hashtag_id = h.hashtag_id
CROSS JOIN tagdb_store.statistics s;
COMMENT ON VIEW tagdb.hashtag_stats IS 'How many images carry each hashtag, since when, beside how many others, and in which collections. An alias counts for the hashtag that it is an alias of and has no images of its own here, and a banned hashtag has none.';
COMMENT ON COLUMN tagdb.hashtag_stats.hashtag_id IS 'Number of the hashtag.';
COMMENT ON COLUMN tagdb.hashtag_stats.hashtag IS 'The hashtag.';
COMMENT ON COLUMN tagdb.hashtag_stats.images IS 'Images that carry it or one of its aliases.';
COMMENT ON COLUMN tagdb.hashtag_stats.image_share IS 'Share of all images that carry the hashtag, 0 to 1.';
COMMENT ON COLUMN tagdb.hashtag_stats.first_seen IS 'When the earliest of its images was taken (ingested, where unknown).';
COMMENT ON COLUMN tagdb.hashtag_stats.last_seen IS 'When the latest of its images was taken (ingested, where unknown).';
COMMENT ON COLUMN tagdb.hashtag_stats.collections IS 'In how many collections it appears.';
COMMENT ON COLUMN tagdb.hashtag_stats.collection_names IS 'The collections it appears in, the one with most of its images first.';
COMMENT ON COLUMN tagdb.hashtag_stats.hashtags_beside IS 'Mean number of other hashtags on its images.';
COMMENT ON COLUMN tagdb.hashtag_stats.in_active_run IS 'Whether the active factor run knows it. Only what it knows, itself or by an alias, can be recommended.';
COMMENT ON COLUMN tagdb.hashtag_stats.banned IS 'Whether it is banned: neither recommended nor counted.';
COMMENT ON COLUMN tagdb.hashtag_stats.alias_of IS 'The hashtag that it counts as; NULL for itself.';
COMMENT ON COLUMN tagdb.hashtag_stats.aliases IS 'The hashtags that count as this one.';
COMMENT ON COLUMN tagdb.hashtag_stats.refreshed_at IS 'When the counts were last computed for all hashtags.';
