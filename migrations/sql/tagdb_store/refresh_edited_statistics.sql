-- Refreshes the statistics of the hashtags of an edit, and of those they counted as before and count as
-- now.
CREATE OR REPLACE FUNCTION tagdb_store.refresh_edited_statistics(before jsonb)
RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT tagdb_store.refresh_statistics(of_hashtags => (
        SELECT coalesce(array_agg(DISTINCT i.hashtag_id), '{}')
        FROM jsonb_to_recordset(before) AS b (hashtag_id integer, alias_of integer)
        JOIN tagdb_store.hashtags h ON h.hashtag_id = b.hashtag_id
        CROSS JOIN LATERAL (VALUES (b.hashtag_id), (b.alias_of), (h.alias_of)) AS i (hashtag_id)
        WHERE i.hashtag_id IS NOT NULL));
END;
