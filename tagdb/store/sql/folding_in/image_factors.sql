-- The factors in a run of the images that carry some hashtags, once for each hashtag.
COPY (
    SELECT c.hashtag_id, c.image_id, f.factors
    FROM tagdb_store.counted_hashtags c
    JOIN tagdb_store.image_factors f
      ON f.factor_run_id = %(factor_run_id)s AND f.image_id = c.image_id
    WHERE c.hashtag_id = ANY (%(hashtag_ids)s)
      AND NOT EXISTS (SELECT FROM tagdb_store.verdicts v
                      WHERE v.image_id = c.image_id AND v.hashtag_id = c.hashtag_id AND NOT v.accepted)
    ORDER BY c.hashtag_id, c.image_id
) TO STDOUT (FORMAT binary)
