-- Folds a hashtag given by a caller. NULL for a text that is far too long: normalising takes quadratic time
-- on a long run of combining marks, and cannot be interrupted.
CREATE OR REPLACE FUNCTION tagdb_store.fold_given(hashtag text)
RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT CASE WHEN char_length(hashtag) <= 1500 THEN tagdb_store.fold_hashtag(hashtag) END;
END;
