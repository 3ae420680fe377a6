-- Hashtags related to a given one: those whose factors in the active run point in the same direction.
CREATE OR REPLACE FUNCTION tagdb.related_hashtags(hashtag text, top integer DEFAULT 10)
RETURNS TABLE (rank integer, hashtag text, score double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10 COST 20000 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT b.rank, b.hashtag, b.score
    FROM (SELECT tagdb_store.counting_as(ARRAY[$1]) AS hashtag_ids,
                 tagdb_store.active_run() AS run OFFSET 0) meant
    CROSS JOIN LATERAL (
        -- its own factors, otherwise those of an alias
        SELECT f.factors
        FROM tagdb_store.hashtags h
        JOIN tagdb_store.hashtag_factors f ON f.hashtag_id = h.hashtag_id
        WHERE (h.hashtag_id = ANY (meant.hashtag_ids) OR h.alias_of = ANY (meant.hashtag_ids))
          AND f.factor_run_id = meant.run
        ORDER BY h.alias_of NULLS FIRST, h.hashtag_id
        LIMIT 1
    ) q
    CROSS JOIN LATERAL tagdb_store.best_hashtags(
        meant.run, q.factors, true, meant.hashtag_ids,
        tagdb_store.at_least_one('top', coalesce(related_hashtags.top, 10)), NULL, NULL) b;
END;
COMMENT ON FUNCTION tagdb.related_hashtags IS
    'The hashtags used most similarly to a given one, by the cosine of their ALS factors in the active '
    'factor run (1: the same direction). No rows if the run does not know the hashtag.';
