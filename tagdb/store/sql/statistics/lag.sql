-- How many images there are, and how many came in, went or changed since the statistics were computed. An
-- ingest that broke off before that is not counted again.
SELECT i.images,
       greatest(abs(i.images - s.images),
                (SELECT coalesce(sum(r.images_new + r.images_updated), 0)
                 FROM tagdb_store.ingest_runs r
                 WHERE coalesce(r.finished_at, r.started_at) > s.refreshed_at)) AS changed
FROM (SELECT count(*) AS images FROM tagdb_store.images) i
CROSS JOIN tagdb_store.statistics s
