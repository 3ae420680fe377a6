-- Answers are kept for an hour, requests that nobody answers for a day.
DELETE FROM tagdb_store.requests r
WHERE r.answered_at < clock_timestamp() - interval '1 hour'
   OR r.answered_at IS NULL AND r.asked_at < clock_timestamp() - interval '1 day'
