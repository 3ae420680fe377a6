-- Answers a request, unless another worker has it by now; its photo is gone then, and whoever waits hears of it.
UPDATE tagdb_store.requests r
SET photo = NULL, answered_at = clock_timestamp(), hashtags = %(hashtags)s, refused = %(refused)s,
    image_id = %(image_id)s
WHERE r.request_id = %(request_id)s AND r.answered_at IS NULL AND r.tries = %(tries)s
RETURNING pg_notify('tagdb_answers', r.request_id::text)
