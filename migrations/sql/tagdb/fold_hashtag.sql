-- Folds a hashtag as for storage, and refuses a text that is not a hashtag. The order is that of
-- tagdb.hashtags.fold: a text that is far too long is refused unfolded, because normalising takes quadratic
-- time on a long run of combining marks. Immutable, because only the text matters: it can be used in an
-- index and is computed once per query for a constant. In PL/pgSQL, which keeps the two functions prepared
-- between calls: as plain SQL, PostgreSQL before 18 would parse them again for every row, which takes ten
-- times as long.
CREATE OR REPLACE FUNCTION tagdb.fold_hashtag(hashtag text)
RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
    length integer := char_length(hashtag);
    folded text;
    problem text;
BEGIN
    IF length > 1500 THEN
        problem := 'hashtag of ' || length || ' characters; at most 150 are allowed';
    ELSE
        folded := tagdb_store.fold_hashtag(hashtag);
        problem := tagdb_store.hashtag_problem(folded);
    END IF;
    IF problem IS NOT NULL THEN
        RETURN tagdb_store.refuse('not a hashtag: ' || problem);
    END IF;
    RETURN folded;
END
$$;
COMMENT ON FUNCTION tagdb.fold_hashtag IS
    'The spelling under which a hashtag is stored: ''#Straße'' gives ''strasse''. An error says why a '
    'text is not a hashtag.';
