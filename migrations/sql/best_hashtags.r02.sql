-- The hashtags whose factors have the greatest dot product with the given ones, or the greatest
-- cosine. What its owner and the caller have decided comes before the cut: banned and unwanted
-- hashtags and scores below the least one take no place, and what counts as another hashtag scores for
-- that one, the best score being the one that counts.
--
-- A popularity discount decides the order only: a score that is greater than 0 is divided by the
-- hashtag's images as a share of those of the most used hashtag, to the power of the discount; that is its relevance.
--
-- Scanning all factors of the run is the work here, so that nothing else is asked of each row: as many
-- more are taken as there are banned, aliased and unwanted hashtags, and those are left out then. One
-- number is computed of each; with a discount the score is got back from it afterwards.
CREATE FUNCTION tagdb_store.best_hashtags(
    run integer, query halfvec, by_cosine boolean, unwanted integer[], top integer,
    popularity_discount double precision, min_score double precision)
RETURNS TABLE (
    rank integer, hashtag_id integer, hashtag text, score double precision, relevance double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10 COST 10000
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH decided AS MATERIALIZED (
        SELECT h.hashtag_id, h.alias_of, h.banned
        FROM tagdb_store.hashtags h
        WHERE h.banned OR h.alias_of IS NOT NULL
    ), most AS MATERIALIZED (
        SELECT greatest(max(f.images), 1)::double precision AS images
        FROM tagdb_store.hashtag_factors f
        WHERE f.factor_run_id = run
    ), first AS MATERIALIZED (
        SELECT f.hashtag_id, f.images, CASE
                   WHEN popularity_discount > 0 THEN (f.factors <#> query) / CASE
                       WHEN f.factors <#> query < 0
                       THEN power(greatest(f.images, 1) / (SELECT most.images FROM most), popularity_discount)
                       ELSE 1 END
                   WHEN by_cosine THEN nullif(f.factors <=> query, 'NaN') - 1
                   ELSE f.factors <#> query
               END AS place
        FROM tagdb_store.hashtag_factors f
        WHERE f.factor_run_id = run
          AND (min_score IS NULL OR f.factors <#> query <= -min_score)
        ORDER BY 3, 1
        LIMIT top::bigint + cardinality(unwanted) + (SELECT count(*) FROM decided)
    ), plain AS (
        SELECT f.hashtag_id, f.images, f.place
        FROM first f
        WHERE f.hashtag_id NOT IN (SELECT decided.hashtag_id FROM decided)
          AND f.hashtag_id NOT IN (SELECT unnest(unwanted))
          AND f.place IS NOT NULL
        ORDER BY f.place, f.hashtag_id
        LIMIT top
    ), aliases AS MATERIALIZED (
        SELECT d.alias_of AS hashtag_id, f.images, CASE
                   WHEN popularity_discount > 0 THEN (f.factors <#> query) / CASE
                       WHEN f.factors <#> query < 0
                       THEN power(greatest(f.images, 1) / (SELECT most.images FROM most), popularity_discount)
                       ELSE 1 END
                   WHEN by_cosine THEN nullif(f.factors <=> query, 'NaN') - 1
                   ELSE f.factors <#> query
               END AS place
        FROM decided d
        CROSS JOIN LATERAL (
            SELECT x.factors, x.images FROM tagdb_store.hashtag_factors x
            WHERE x.factor_run_id = run AND x.hashtag_id = d.hashtag_id
        ) f
        WHERE NOT d.banned AND d.alias_of <> ALL (unwanted)
          AND (min_score IS NULL OR f.factors <#> query <= -min_score)
    ), each AS (
        SELECT DISTINCT ON (b.hashtag_id) b.hashtag_id, b.images, b.place
        FROM (SELECT plain.hashtag_id, plain.images, plain.place FROM plain
              UNION ALL SELECT aliases.hashtag_id, aliases.images, aliases.place FROM aliases) b
        WHERE b.place IS NOT NULL
        ORDER BY b.hashtag_id, b.place
    ), best AS MATERIALIZED (
        SELECT e.hashtag_id, e.images, e.place
        FROM each e
        ORDER BY e.place, e.hashtag_id
        LIMIT top
    )
    SELECT (row_number() OVER (ORDER BY b.place, b.hashtag_id))::integer, b.hashtag_id, h.hashtag,
           -b.place * CASE WHEN popularity_discount > 0 AND b.place < 0
                           THEN power(greatest(b.images, 1) / (SELECT most.images FROM most),
                                      popularity_discount)
                           ELSE 1 END,
           -b.place
    FROM best b
    CROSS JOIN LATERAL (
        SELECT x.hashtag FROM tagdb_store.hashtags x WHERE x.hashtag_id = b.hashtag_id OFFSET 0
    ) h
    ORDER BY 1;
END;
