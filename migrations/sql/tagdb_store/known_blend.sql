-- The average of the neighbours' factors, moved towards the hashtags that a photo already has:
--
--     (1 - weight) * average + weight * |average| * direction
--
-- where direction is the mean of the known hashtags' factors; these and the mean are normalised. Unchanged if
-- no known hashtag has factors or all are banned; the direction alone if there is no average.
CREATE OR REPLACE FUNCTION tagdb_store.known_blend(run integer, average halfvec, known integer[], weight double precision)
RETURNS halfvec
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT CASE
        WHEN d.direction IS NULL OR vector_norm(d.direction) = 0 THEN average
        WHEN average IS NULL THEN d.direction::halfvec
        ELSE (average::vector * array_fill((1 - weight)::real, ARRAY[vector_dims(average)])::vector
              + d.direction * array_fill((weight * l2_norm(average))::real, ARRAY[vector_dims(average)])::vector
             )::halfvec
    END
    FROM (
        SELECT l2_normalize(avg(l2_normalize(f.factors::vector))) AS direction
        FROM tagdb_store.hashtags h
        JOIN tagdb_store.hashtag_factors f ON f.hashtag_id = h.hashtag_id
        WHERE (h.hashtag_id = ANY (known) OR h.alias_of = ANY (known))
          AND NOT h.banned
          AND f.factor_run_id = run
    ) d;
END;
