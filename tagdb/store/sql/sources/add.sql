-- Sources that are new, in order, so that ingests running at once do not wait for each other in a circle.
INSERT INTO tagdb_store.sources (location)
SELECT DISTINCT n.location
FROM unnest(%(locations)s::text[]) AS n (location)
WHERE NOT EXISTS (SELECT FROM tagdb_store.sources k WHERE k.location = n.location)
ORDER BY n.location
ON CONFLICT (location) DO NOTHING
