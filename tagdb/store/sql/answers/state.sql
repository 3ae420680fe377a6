-- What a service is asked about itself: all of it is a look-up or a snapshot.
SELECT (SELECT count(*) FROM tagdb.images) AS images, s.refreshed_at,
       (SELECT count(*) FROM tagdb.hashtag_stats h WHERE h.images > 0) AS hashtags,
       b.name || ' at ' || b.input_size || ' px' AS backbone,
       r.factor_run_id, r.created_at AS computed_at,
       c.recall, c.checked_at
FROM tagdb.statistics s
LEFT JOIN tagdb.backbones b ON b.active
LEFT JOIN tagdb.factor_runs r ON r.status = 'active'
LEFT JOIN LATERAL (SELECT x.recall, x.checked_at FROM tagdb.index_checks x
                   ORDER BY x.index_check_id DESC LIMIT 1) c ON true
