-- The hashtags' factors in a run, in order, with those that were folded in.
COPY (
    SELECT f.hashtag_id, f.factors
    FROM tagdb_store.hashtag_factors f
    WHERE f.factor_run_id = %(factor_run_id)s
    ORDER BY f.hashtag_id
) TO STDOUT (FORMAT binary)
