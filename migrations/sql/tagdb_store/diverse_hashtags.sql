-- Orders hashtags by maximal marginal relevance: takes them one at a time, always the one with the largest
-- (1 - diversity) * relevance - diversity * likeness. Relevance is relative to the largest; likeness is the
-- largest cosine between its factors and those of one already taken. Carbonell, Goldstein: The Use of MMR,
-- Diversity-Based Reranking, SIGIR 1998. Returns places in `hashtag_ids`, the first taken first.
CREATE OR REPLACE FUNCTION tagdb_store.diverse_hashtags(
    run integer, hashtag_ids integer[], relevance double precision[], diversity double precision, top integer)
RETURNS integer[]
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
    many integer := cardinality(hashtag_ids);
    most double precision := (SELECT nullif(max(abs(r)), 0) FROM unnest(relevance) r);
    likeness double precision[] := array_fill(0::double precision, ARRAY[many]);
    likeness_now double precision[];
    taken integer[] := '{}';
    best integer;
BEGIN
    FOR turn IN 1 .. least(top, many) LOOP
        SELECT n INTO best
        FROM generate_series(1, many) n
        WHERE n <> ALL (taken)
        ORDER BY (1 - diversity) * coalesce(relevance[n] / most, 0) - diversity * likeness[n] DESC, n
        LIMIT 1;
        taken := taken || best;
        likeness_now := tagdb_store.hashtag_likeness(run, hashtag_ids, hashtag_ids[best]);
        likeness := (SELECT array_agg(CASE WHEN turn = 1 THEN likeness_now[n]
                                           ELSE greatest(likeness[n], likeness_now[n]) END ORDER BY n)
                     FROM generate_series(1, many) n);
    END LOOP;
    RETURN taken;
END
$$;
