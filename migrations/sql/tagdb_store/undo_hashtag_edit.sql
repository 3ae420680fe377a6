-- Undoes an edit of hashtags, by default the last one: they count again as they did before. Returns its
-- number.
CREATE OR REPLACE FUNCTION tagdb_store.undo_hashtag_edit(edit bigint DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    undone record;
    lost record;
    later bigint;
BEGIN
    LOCK TABLE tagdb_store.hashtag_edits IN SHARE ROW EXCLUSIVE MODE;
    -- Before any hashtag is changed, so that no refresh, which changes their spellings, waits for this one in a circle,
    -- and none counts images by hashtags as they were until now once those of this edit are noted.
    PERFORM FROM tagdb_store.statistics s FOR UPDATE;
    SELECT e.edit_id, e.before, e.undone_at INTO undone
    FROM tagdb_store.hashtag_edits e
    WHERE CASE WHEN edit IS NULL THEN e.undone_at IS NULL ELSE e.edit_id = edit END
    ORDER BY e.edit_id DESC
    LIMIT 1;
    IF undone IS NULL THEN
        PERFORM tagdb_store.refuse(coalesce('there is no edit ' || edit, 'there is no edit to undo'));
    ELSIF undone.undone_at IS NOT NULL THEN
        PERFORM tagdb_store.refuse('edit ' || edit || ' was already undone');
    END IF;
    SELECT max(e.edit_id) INTO later
    FROM tagdb_store.hashtag_edits e
    WHERE e.edit_id > undone.edit_id AND e.undone_at IS NULL
      AND EXISTS (
          SELECT FROM jsonb_to_recordset(e.before) AS a (hashtag_id integer)
          JOIN jsonb_to_recordset(undone.before) AS b (hashtag_id integer) ON b.hashtag_id = a.hashtag_id);
    IF later IS NOT NULL THEN
        PERFORM tagdb_store.refuse('edit ' || later || ' was made later on the same hashtags; undo that first');
    END IF;
    -- The hashtags they counted as before must still count themselves.
    SELECT c.hashtag, c.edit_id INTO lost
    FROM jsonb_to_recordset(undone.before) AS b (hashtag_id integer, alias_of integer)
    JOIN tagdb_store.hashtags c ON c.hashtag_id = b.alias_of
    WHERE (c.banned OR c.alias_of IS NOT NULL)
      AND c.hashtag_id NOT IN (SELECT x.hashtag_id
                               FROM jsonb_to_recordset(undone.before) AS x (hashtag_id integer))
    ORDER BY c.edit_id DESC
    LIMIT 1;
    IF lost.hashtag IS NOT NULL THEN
        PERFORM tagdb_store.refuse('edit ' || lost.edit_id || ' was made later on #' || lost.hashtag
                                   || ', which they counted as before; undo that first');
    END IF;
    UPDATE tagdb_store.hashtag_edits e
    SET undone_at = clock_timestamp(), undone_by = session_user
    WHERE e.edit_id = undone.edit_id;
    UPDATE tagdb_store.hashtags h
    SET alias_of = b.alias_of, banned = b.banned, edit_id = b.edit_id
    FROM jsonb_to_recordset(undone.before) AS b (
        hashtag_id integer, alias_of integer, banned boolean, edit_id bigint)
    WHERE h.hashtag_id = b.hashtag_id;
    PERFORM tagdb_store.refresh_edited_statistics(
        undone.before || (
            SELECT coalesce(jsonb_agg(jsonb_build_object('hashtag_id', h.hashtag_id)), '[]')
            FROM tagdb_store.hashtags h
            WHERE h.hashtag = (SELECT e.into_hashtag FROM tagdb_store.hashtag_edits e
                               WHERE e.edit_id = undone.edit_id)));
    RETURN undone.edit_id;
END
$$;
