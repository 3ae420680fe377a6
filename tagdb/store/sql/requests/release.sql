-- Gives a request back, as if it had not been taken.
UPDATE tagdb_store.requests r
SET taken_by = NULL, taken_at = NULL, tries = 0
WHERE r.request_id = %(request_id)s AND r.answered_at IS NULL AND r.tries = %(tries)s
RETURNING pg_notify('tagdb_requests', '')
