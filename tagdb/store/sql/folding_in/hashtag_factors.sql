-- The hashtags' factors in a run, in order, without those that were folded in.
COPY (
    SELECT f.hashtag_id, f.factors, f.images
    FROM tagdb_store.hashtag_factors f
    WHERE f.factor_run_id = %(factor_run_id)s AND NOT f.folded_in
    ORDER BY f.hashtag_id
) TO STDOUT (FORMAT binary)
