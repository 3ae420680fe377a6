-- Completion while typing: hashtags that begin with a prefix, first those that are likely together with the
-- ones already there.
--
-- The score is the mean of the hashtag's share of all images and of its shares of the images of each known
-- hashtag, from the statistics. On real photos this found the next hashtag sooner than its popularity, and
-- slightly sooner than the product of these shares.
CREATE OR REPLACE FUNCTION tagdb.complete_hashtags(prefix text, known text[] DEFAULT '{}', top integer DEFAULT 10)
RETURNS TABLE (rank integer, hashtag text, score double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10 COST 2000 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    WITH given AS MATERIALIZED (
        SELECT k.hashtag_id, c.images
        FROM unnest(tagdb_store.counting_as(complete_hashtags.known)) AS k (hashtag_id)
        LEFT JOIN tagdb_store.hashtag_counts c ON c.hashtag_id = k.hashtag_id
    ), candidate AS MATERIALIZED (
        -- an alias is replaced by the hashtag it counts as
        SELECT DISTINCT coalesce(h.alias_of, h.hashtag_id) AS hashtag_id
        FROM tagdb_store.hashtags h
        CROSS JOIN (SELECT CASE WHEN complete_hashtags.prefix IS NULL THEN ''
                                 ELSE tagdb_store.fold_given(complete_hashtags.prefix) END AS typed) p
        -- compared byte by byte: from the prefix to the prefix plus the last possible character
        WHERE h.hashtag ~>=~ p.typed
          AND h.hashtag ~<~ (p.typed || chr(1114111))
          AND NOT h.banned
    ), beside AS (
        SELECT b.hashtag_id, sum(b.share) AS shares
        FROM (SELECT p.other_id AS hashtag_id, least(p.images, g.images)::double precision / g.images AS share
              FROM given g JOIN tagdb_store.hashtag_pairs p ON p.hashtag_id = g.hashtag_id
              UNION ALL
              SELECT p.hashtag_id, least(p.images, g.images)::double precision / g.images
              FROM given g JOIN tagdb_store.hashtag_pairs p ON p.other_id = g.hashtag_id) b
        GROUP BY b.hashtag_id
    ), best AS MATERIALIZED (
        SELECT c.hashtag_id,
               (coalesce(least(coalesce(n.images, 0), s.images)::double precision / nullif(s.images, 0), 0)
                + coalesce(b.shares, 0)) / (1 + (SELECT count(*) FROM given)) AS score
        FROM candidate c
        CROSS JOIN tagdb_store.statistics s
        LEFT JOIN tagdb_store.hashtag_counts n ON n.hashtag_id = c.hashtag_id
        LEFT JOIN beside b ON b.hashtag_id = c.hashtag_id
        WHERE c.hashtag_id NOT IN (SELECT given.hashtag_id FROM given)
        ORDER BY 2 DESC, 1
        LIMIT tagdb_store.at_least_one('top', coalesce(complete_hashtags.top, 10))
    )
    SELECT (row_number() OVER (ORDER BY b.score DESC, b.hashtag_id))::integer, h.hashtag, b.score
    FROM best b
    CROSS JOIN LATERAL (
        SELECT coalesce(x.spelling, x.hashtag) AS hashtag FROM tagdb_store.hashtags x WHERE x.hashtag_id = b.hashtag_id
    ) h
    ORDER BY 1;
END;
COMMENT ON FUNCTION tagdb.complete_hashtags IS
    'Completion while typing: the hashtags that begin with a prefix (all for an empty one), without the'
    ' known ones. Best first, by how often they are used overall and together with the known ones. The '
    'score is a mean of shares from the statistics, 0 to 1.';
