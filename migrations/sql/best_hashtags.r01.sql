-- The hashtags whose factors have the greatest dot product with the given ones, or the greatest
-- cosine. What its owner and the caller have decided comes before the cut: banned and unwanted
-- hashtags take no place, and what counts as another hashtag scores for that one, the best score
-- being the one that counts.
--
-- Scanning all factors of the run is the work here, so that nothing else is asked of each row: as many
-- more are taken as there are banned, aliased and unwanted hashtags, and those are left out then.
CREATE FUNCTION tagdb_store.best_hashtags(
    run integer, query halfvec, by_cosine boolean, unwanted integer[], top integer)
RETURNS TABLE (rank integer, hashtag text, score double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10 COST 10000
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH decided AS MATERIALIZED (
        SELECT h.hashtag_id, h.alias_of, h.banned
        FROM tagdb_store.hashtags h
        WHERE h.banned OR h.alias_of IS NOT NULL
    ), first AS MATERIALIZED (
        SELECT f.hashtag_id, CASE WHEN by_cosine THEN nullif(f.factors <=> query, 'NaN') - 1
                                  ELSE f.factors <#> query END AS distance
        FROM tagdb_store.hashtag_factors f
        WHERE f.factor_run_id = run
        ORDER BY 2, 1
        LIMIT top::bigint + cardinality(unwanted) + (SELECT count(*) FROM decided)
    ), plain AS (
        SELECT f.hashtag_id, f.distance
        FROM first f
        WHERE f.hashtag_id NOT IN (SELECT decided.hashtag_id FROM decided)
          AND f.hashtag_id NOT IN (SELECT unnest(unwanted))
          AND f.distance IS NOT NULL
        ORDER BY f.distance, f.hashtag_id
        LIMIT top
    ), aliases AS MATERIALIZED (
        SELECT d.alias_of AS hashtag_id,
               CASE WHEN by_cosine THEN nullif(f.factors <=> query, 'NaN') - 1
                    ELSE f.factors <#> query END AS distance
        FROM decided d
        CROSS JOIN LATERAL (
            SELECT x.factors FROM tagdb_store.hashtag_factors x
            WHERE x.factor_run_id = run AND x.hashtag_id = d.hashtag_id
        ) f
        WHERE NOT d.banned AND d.alias_of <> ALL (unwanted)
    ), best AS MATERIALIZED (
        SELECT b.hashtag_id, min(b.distance) AS distance
        FROM (SELECT plain.hashtag_id, plain.distance FROM plain
              UNION ALL SELECT aliases.hashtag_id, aliases.distance FROM aliases) b
        WHERE b.distance IS NOT NULL
        GROUP BY b.hashtag_id
        ORDER BY min(b.distance), b.hashtag_id
        LIMIT top
    )
    SELECT (row_number() OVER (ORDER BY best.distance, best.hashtag_id))::integer, h.hashtag, -best.distance
    FROM best
    CROSS JOIN LATERAL (
        SELECT x.hashtag FROM tagdb_store.hashtags x WHERE x.hashtag_id = best.hashtag_id OFFSET 0
    ) h
    ORDER BY 1;
END;
