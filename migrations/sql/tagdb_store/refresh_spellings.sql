-- Gives each hashtag, or some, the spelling that most of its images have; of several that as many have, the folded one,
-- or the first. Looks only at hashtags that some image writes otherwise than they are folded; feedback, which is given on
-- what was shown, has no say.
CREATE OR REPLACE FUNCTION tagdb_store.refresh_spellings(of_hashtags integer[] DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
BEGIN
    UPDATE tagdb_store.hashtags h
    SET spelling = m.spelling
    FROM (
        SELECT DISTINCT ON (c.hashtag_id) c.hashtag_id, c.spelling
        FROM (
            SELECT ih.hashtag_id, ih.spelling, count(*) AS images
            FROM tagdb_store.image_hashtags ih
            WHERE ih.source <> 'feedback'
              AND ih.hashtag_id IN (SELECT s.hashtag_id FROM tagdb_store.image_hashtags s
                                    WHERE s.spelling IS NOT NULL)
              AND (of_hashtags IS NULL OR ih.hashtag_id = ANY (of_hashtags))
            GROUP BY ih.hashtag_id, ih.spelling
        ) c
        ORDER BY c.hashtag_id, c.images DESC, c.spelling COLLATE "C" NULLS FIRST
    ) m
    WHERE h.hashtag_id = m.hashtag_id
      AND h.spelling IS DISTINCT FROM m.spelling;
END
$$;
