-- How many requests nobody has taken, since when, and how many workers there are.
SELECT count(*) AS waiting, min(r.asked_at) AS since, tagdb.workers() AS workers
FROM tagdb_store.requests r
WHERE r.answered_at IS NULL AND r.tries = 0
