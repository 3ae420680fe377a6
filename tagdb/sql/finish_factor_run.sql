-- What a factor run came to; it can be activated from here on.
UPDATE tagdb_store.factor_runs
SET status = 'ready', images = %(images)s, hashtags = %(hashtags)s, interactions = %(interactions)s,
    seconds = %(seconds)s
WHERE factor_run_id = %(factor_run_id)s
