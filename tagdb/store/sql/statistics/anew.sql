-- Whether the statistics are behind, and so far that computing them anew is faster than counting what has changed.
SELECT c.changed > %(share)s * s.images
FROM tagdb_store.statistics s
CROSS JOIN (SELECT count(DISTINCT n.image_id) AS changed FROM tagdb_store.changed_images n) c
WHERE c.changed > 0
