-- Refuses what so many workers had when they ended or hung that nobody should try again.
WITH hopeless AS (
    SELECT r.request_id
    FROM tagdb_store.requests r
    WHERE r.answered_at IS NULL AND r.tries >= %(tries)s
      AND (r.taken_by <> ALL (ARRAY(SELECT w FROM tagdb_store.live_workers() w))
           OR r.taken_at < clock_timestamp() - %(patience)s * interval '1 second')
    FOR UPDATE SKIP LOCKED
)
UPDATE tagdb_store.requests r
SET photo = NULL, answered_at = clock_timestamp(), refused = %(reason)s
FROM hopeless h
WHERE r.request_id = h.request_id
RETURNING pg_notify('tagdb_answers', r.request_id::text)
