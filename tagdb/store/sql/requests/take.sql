-- Takes the oldest requests that nobody has: new ones, or those whose worker is gone or hangs.
WITH free AS (
    SELECT r.request_id
    FROM tagdb_store.requests r
    WHERE r.answered_at IS NULL
      AND CASE WHEN %(again)s
               THEN r.tries BETWEEN 1 AND %(tries)s - 1
                    AND (r.taken_by <> ALL (ARRAY(SELECT w FROM tagdb_store.live_workers() w))
                         OR r.taken_at < clock_timestamp() - %(patience)s * interval '1 second')
               ELSE r.tries = 0 END
    ORDER BY r.request_id
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
)
UPDATE tagdb_store.requests r
SET taken_by = %(worker)s, taken_at = clock_timestamp(), tries = r.tries + 1
FROM free f
WHERE r.request_id = f.request_id
RETURNING r.request_id, r.photo, r.arguments, r.store, r.tries
