-- How many images there are, and how many came in, went or changed since the statistics were computed.
SELECT i.images,
       greatest(abs(i.images - s.images),
                (SELECT count(DISTINCT c.image_id) FROM tagdb_store.changed_images c)) AS changed
FROM (SELECT count(*) AS images FROM tagdb_store.images) i
CROSS JOIN tagdb_store.statistics s
