-- Records which hashtags were accepted and rejected for an image, and returns how many of each. The image carries
-- an accepted hashtag from then on; a rejected one is not recommended for it again, and is removed where it was only
-- there because it had been accepted. `run` is the factor run that made the recommendation; NULL means the active
-- one. Repeating the last feedback adds nothing, so that a command that was killed and is run again counts once.
CREATE OR REPLACE FUNCTION tagdb.give_feedback(
    image_id bigint, accepted text[] DEFAULT '{}', rejected text[] DEFAULT '{}', run integer DEFAULT NULL)
RETURNS TABLE (hashtags_accepted integer, hashtags_rejected integer)
LANGUAGE plpgsql VOLATILE ROWS 1 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    given integer := coalesce(cardinality($2), 0) + coalesce(cardinality($3), 0);
    yes text[];
    no text[];
    twice text;
BEGIN
    IF given > 10000 THEN -- folding them would take seconds, with the image locked
        PERFORM tagdb_store.refuse(given || ' hashtags are given; at most 10000 are allowed');
    END IF;
    -- Feedback on an image waits for other feedback on it, so that none is recorded twice. The image is locked before
    -- its hashtags, as an ingest does it, so that there is no deadlock.
    PERFORM FROM tagdb_store.images i WHERE i.image_id = $1 FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM tagdb_store.refuse('there is no image ' || coalesce($1::text, 'NULL'));
    END IF;
    IF $4 IS NOT NULL AND NOT EXISTS (SELECT FROM tagdb_store.factor_runs r WHERE r.factor_run_id = $4) THEN
        PERFORM tagdb_store.refuse('there is no factor run ' || $4);
    END IF;
    -- fold_hashtag refuses what is not a hashtag, and says why
    SELECT coalesce(array_agg(DISTINCT tagdb.fold_hashtag(g.hashtag)), '{}') INTO yes
    FROM unnest($2) AS g (hashtag) WHERE g.hashtag IS NOT NULL;
    SELECT coalesce(array_agg(DISTINCT tagdb.fold_hashtag(g.hashtag)), '{}') INTO no
    FROM unnest($3) AS g (hashtag) WHERE g.hashtag IS NOT NULL;
    INSERT INTO tagdb_store.hashtags (hashtag)
    SELECT n.hashtag FROM unnest(yes || no) AS n (hashtag)
    WHERE NOT EXISTS (SELECT FROM tagdb_store.hashtags h WHERE h.hashtag = n.hashtag)
    ORDER BY 1
    ON CONFLICT (hashtag) DO NOTHING;
    SELECT min(h.hashtag) INTO twice
    FROM tagdb_store.hashtags h
    WHERE h.hashtag = ANY (yes)
      AND coalesce(h.alias_of, h.hashtag_id) IN (
            SELECT coalesce(o.alias_of, o.hashtag_id) FROM tagdb_store.hashtags o WHERE o.hashtag = ANY (no));
    IF twice IS NOT NULL THEN
        PERFORM tagdb_store.refuse('#' || twice || ' cannot be both accepted and rejected');
    END IF;
    INSERT INTO tagdb_store.feedback (image_id, hashtag_id, accepted, factor_run_id, given_by)
    WITH said AS MATERIALIZED (
        SELECT coalesce($4, (SELECT r.factor_run_id FROM tagdb_store.factor_runs r
                             WHERE r.status = 'active')) AS run
    )
    SELECT $1, h.hashtag_id, h.hashtag = ANY (yes), said.run, session_user
    FROM tagdb_store.hashtags h
    CROSS JOIN said
    WHERE h.hashtag = ANY (yes || no)
      AND NOT EXISTS (
            SELECT FROM tagdb_store.feedback f
            WHERE f.image_id = $1 AND f.hashtag_id = h.hashtag_id
              AND f.accepted = (h.hashtag = ANY (yes))
              AND f.factor_run_id IS NOT DISTINCT FROM said.run AND f.given_by = session_user
              AND NOT EXISTS (SELECT FROM tagdb_store.feedback n
                              WHERE n.image_id = $1 AND n.hashtag_id = h.hashtag_id
                                AND n.feedback_id > f.feedback_id))
    ORDER BY h.hashtag;
    INSERT INTO tagdb_store.image_hashtags (image_id, hashtag_id, source)
    SELECT $1, h.hashtag_id, 'feedback' FROM tagdb_store.hashtags h WHERE h.hashtag = ANY (yes)
    ORDER BY h.hashtag_id
    ON CONFLICT (image_id, hashtag_id) DO NOTHING;
    DELETE FROM tagdb_store.image_hashtags ih
    USING tagdb_store.hashtags h
    WHERE ih.image_id = $1 AND ih.source = 'feedback' AND h.hashtag_id = ih.hashtag_id
      AND coalesce(h.alias_of, h.hashtag_id) IN (
            SELECT coalesce(o.alias_of, o.hashtag_id) FROM tagdb_store.hashtags o WHERE o.hashtag = ANY (no));
    RETURN QUERY SELECT cardinality(yes), cardinality(no);
END
$$;
COMMENT ON FUNCTION tagdb.give_feedback IS
    'Records which hashtags people accepted and rejected for an image, and returns how many of each. Accepted ones are added to the image; rejected ones are not recommended for it again. run: the factor run that made the recommendation, NULL for the active one. It writes: only for the role tagdb_writer.';
