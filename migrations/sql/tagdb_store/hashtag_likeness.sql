-- Similarity of hashtags to a given one: the cosine of their factors in a run, in the given order; 0 if one
-- has no factors. In SQL, which resolves pgvector's operators when the function is created.
CREATE OR REPLACE FUNCTION tagdb_store.hashtag_likeness(run integer, hashtag_ids integer[], hashtag_id integer)
RETURNS double precision[]
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT array_agg(coalesce(1 - nullif(f.factors <=> o.factors, 'NaN'), 0) ORDER BY c.place)
    FROM unnest(hashtag_likeness.hashtag_ids) WITH ORDINALITY AS c (id, place)
    LEFT JOIN tagdb_store.hashtag_factors f ON f.factor_run_id = run AND f.hashtag_id = c.id
    LEFT JOIN tagdb_store.hashtag_factors o
      ON o.factor_run_id = run AND o.hashtag_id = hashtag_likeness.hashtag_id;
END;
