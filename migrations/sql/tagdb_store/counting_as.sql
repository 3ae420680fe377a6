-- The hashtags that given ones, in any spelling, count as. Unknown ones and NULLs are skipped. Too many,
-- whose folding would take seconds, are refused.
CREATE OR REPLACE FUNCTION tagdb_store.counting_as(hashtags text[])
RETURNS integer[]
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT CASE WHEN cardinality(hashtags) > 10000
        THEN tagdb_store.refuse(cardinality(hashtags) || ' hashtags are given; at most 10000 are allowed')::integer[]
        ELSE (
            SELECT coalesce(array_agg(DISTINCT coalesce(h.alias_of, h.hashtag_id)), '{}')
            FROM unnest(hashtags) AS given (hashtag)
            JOIN tagdb_store.hashtags h ON h.hashtag = tagdb_store.fold_given(given.hashtag))
    END;
END;
