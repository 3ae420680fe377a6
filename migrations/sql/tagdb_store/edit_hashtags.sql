-- Makes hashtags count as another one ('alias', 'merge') or as none ('ban'). Returns the number of the
-- edit, by which it can be undone. Takes effect at once in recommendations and in the statistics of these
-- hashtags.
CREATE OR REPLACE FUNCTION tagdb_store.edit_hashtags(kind text, hashtags text[], into_hashtag text DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    given text[];
    target record;
    bad record;
    changed integer[];
    was jsonb;
    edit bigint;
    canonical text := coalesce(tagdb_store.fold_given(into_hashtag), tagdb.fold_hashtag(into_hashtag));
BEGIN
    LOCK TABLE tagdb_store.hashtag_edits IN SHARE ROW EXCLUSIVE MODE;
    -- Before any hashtag is changed, so that no refresh, which changes their spellings, waits for this one in a circle,
    -- and none counts images by hashtags as they were until now once those of this edit are noted.
    PERFORM FROM tagdb_store.statistics s FOR UPDATE;
    SELECT array_agg(DISTINCT coalesce(tagdb_store.fold_given(g.hashtag), tagdb.fold_hashtag(g.hashtag)))
    INTO given
    FROM unnest(edit_hashtags.hashtags) AS g (hashtag)
    WHERE g.hashtag IS NOT NULL;
    IF given IS NULL OR coalesce(edit_hashtags.kind, '') <> ALL (
            CASE WHEN into_hashtag IS NULL THEN ARRAY['ban'] ELSE ARRAY['alias', 'merge'] END) THEN
        PERFORM tagdb_store.refuse(
            'give hashtags and a kind: ban, or alias or merge with the hashtag they will count as');
    END IF;
    -- Hashtags that are not stored yet must be valid; stored ones are.
    INSERT INTO tagdb_store.hashtags (hashtag)
    SELECT tagdb.fold_hashtag(n.hashtag)
    FROM unnest(given || canonical) AS n (hashtag)
    WHERE n.hashtag IS NOT NULL
      AND NOT EXISTS (SELECT FROM tagdb_store.hashtags h WHERE h.hashtag = n.hashtag)
    ORDER BY 1
    ON CONFLICT (hashtag) DO NOTHING;

    -- The target: an alias stands for the hashtag it counts as.
    SELECT c.hashtag_id, c.hashtag, c.banned, h.edit_id AS by_edit INTO target
    FROM tagdb_store.hashtags h
    JOIN tagdb_store.hashtags c ON c.hashtag_id = coalesce(h.alias_of, h.hashtag_id)
    WHERE h.hashtag = canonical;
    IF target.banned THEN
        PERFORM tagdb_store.refuse('#' || target.hashtag || ' is banned; undo that first');
    END IF;
    SELECT h.hashtag, h.banned, c.hashtag AS counts_as INTO bad
    FROM tagdb_store.hashtags h
    LEFT JOIN tagdb_store.hashtags c ON c.hashtag_id = h.alias_of
    WHERE h.hashtag = ANY (given)
      AND (h.banned OR h.hashtag_id = target.hashtag_id OR h.alias_of = target.hashtag_id
           OR (target.hashtag_id IS NULL AND h.alias_of IS NOT NULL))
    ORDER BY h.hashtag
    LIMIT 1;
    IF bad.banned THEN
        PERFORM tagdb_store.refuse('#' || bad.hashtag || CASE WHEN into_hashtag IS NULL
            THEN ' is already banned' ELSE ' is banned; undo that first' END);
    ELSIF bad.counts_as IS NOT NULL AND into_hashtag IS NULL THEN
        PERFORM tagdb_store.refuse('#' || bad.hashtag || ' counts as #' || bad.counts_as
                                   || '; ban that, or undo this first');
    ELSIF bad.counts_as IS NOT NULL THEN
        PERFORM tagdb_store.refuse('#' || bad.hashtag || ' already counts as #' || bad.counts_as);
    ELSIF bad.hashtag IS NOT NULL AND target.hashtag <> canonical THEN
        PERFORM tagdb_store.refuse('#' || canonical || ' counts as #' || bad.hashtag || ' by edit '
                                   || target.by_edit || '; undo that first');
    ELSIF bad.hashtag IS NOT NULL THEN
        PERFORM tagdb_store.refuse('#' || bad.hashtag || ' cannot count as itself');
    END IF;

    -- Hashtags that count as one of them follow.
    SELECT array_agg(h.hashtag_id),
           jsonb_agg(jsonb_build_object('hashtag_id', h.hashtag_id, 'alias_of', h.alias_of,
                                        'banned', h.banned, 'edit_id', h.edit_id))
    INTO changed, was
    FROM tagdb_store.hashtags h
    WHERE h.hashtag = ANY (given)
       OR h.alias_of IN (SELECT g.hashtag_id FROM tagdb_store.hashtags g WHERE g.hashtag = ANY (given));
    INSERT INTO tagdb_store.hashtag_edits (kind, hashtags, into_hashtag, before)
    VALUES (edit_hashtags.kind, given, target.hashtag, was)
    RETURNING edit_id INTO edit;
    UPDATE tagdb_store.hashtags h
    SET alias_of = CASE WHEN into_hashtag IS NULL THEN h.alias_of ELSE target.hashtag_id END,
        banned = into_hashtag IS NULL,
        edit_id = edit
    WHERE h.hashtag_id = ANY (changed);
    PERFORM tagdb_store.refresh_edited_statistics(was);
    RETURN edit;
END
$$;
