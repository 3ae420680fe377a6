-- How many requests nobody has taken, for how long, and how many workers there are.
SELECT count(*) AS waiting,
       coalesce(extract(epoch FROM clock_timestamp() - min(r.asked_at)), 0)::double precision AS seconds,
       tagdb.workers() AS workers
FROM tagdb_store.requests r
WHERE r.answered_at IS NULL AND r.tries = 0
