-- What hashtags count as, given as anybody writes them. Unknown ones and NULLs are passed over.
CREATE FUNCTION tagdb_store.counting_as(hashtags text[])
RETURNS integer[]
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce(array_agg(DISTINCT coalesce(h.alias_of, h.hashtag_id)), '{}')
    FROM unnest(hashtags) AS given (hashtag)
    JOIN tagdb_store.hashtags h ON h.hashtag = tagdb_store.fold_given(given.hashtag);
END;
