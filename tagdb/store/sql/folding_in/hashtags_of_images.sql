-- The hashtags that count on images, and whether the images have factors in a run that were not folded
-- in: those are left alone. As in tagdb_store.interactions; looked up image by image, because there are few.
COPY (
    SELECT c.image_id, c.hashtag_id, coalesce(v.accepted, false)::integer,
           (c.image_id = ANY (ARRAY(
               SELECT f.image_id FROM tagdb_store.image_factors f
               WHERE f.factor_run_id = %(factor_run_id)s AND f.image_id = ANY (%(image_ids)s) AND NOT f.folded_in
           )))::integer
    FROM tagdb_store.counted_hashtags c
    LEFT JOIN LATERAL (
        SELECT f.accepted
        FROM tagdb_store.feedback f
        JOIN tagdb_store.hashtags h ON h.hashtag_id = f.hashtag_id
        WHERE f.image_id = c.image_id AND coalesce(h.alias_of, h.hashtag_id) = c.hashtag_id
        ORDER BY f.feedback_id DESC
        LIMIT 1
    ) v ON true
    WHERE c.image_id = ANY (%(image_ids)s)
      AND v.accepted IS NOT FALSE
    ORDER BY c.image_id, c.hashtag_id
) TO STDOUT (FORMAT binary)
