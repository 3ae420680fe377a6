-- The hashtags whose factors have the largest dot product with the given ones, or the largest cosine.
-- Decisions of the owner and the caller apply before the cut: banned and excluded hashtags and those with
-- too low scores take no place. An alias scores for the hashtag it counts as; of several scores, the best
-- counts.
--
-- With a popularity discount, a score above 0 is divided by the hashtag's images, as a share of those of the
-- most used hashtag, to the power of the discount. The least score is compared with the score before that.
--
-- Most of the time goes into scanning all factors of the run and passing rows to a sort. So the first pages
-- determine how good a hashtag must be: one that is not as good as the last to be taken from those pages
-- cannot be among the best of all, and is left out as soon as it is read. By dot product, vectors that are
-- too short are not even read (with a margin of a thousandth for rounding): a run is stored with the
-- longest vectors first. For ten hashtags, about 20 pages were the fastest, of 90 as of 4,000; for a hundred,
-- 66, and for a thousand, 500. As many more hashtags are taken as there are banned, aliased and excluded ones,
-- which are removed afterwards. One number is computed per hashtag.
CREATE OR REPLACE FUNCTION tagdb_store.best_hashtags(
    run integer, query halfvec, by_cosine boolean, unwanted integer[], top integer,
    popularity_discount double precision, min_score double precision)
RETURNS TABLE (rank integer, hashtag_id integer, hashtag text, score double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10 COST 10000
SET search_path = pg_catalog, pg_temp
SET jit = off
SET plan_cache_mode = force_generic_plan
SET max_parallel_workers_per_gather = 0
SET enable_seqscan = off
SET enable_bitmapscan = off
BEGIN ATOMIC
    WITH decided AS MATERIALIZED (
        SELECT h.hashtag_id, h.alias_of, h.banned
        FROM tagdb_store.hashtags h
        WHERE h.banned OR h.alias_of IS NOT NULL
    ), most AS MATERIALIZED (
        SELECT greatest(max(f.images), 1)::double precision AS images
        FROM tagdb_store.hashtag_factors f
        WHERE f.factor_run_id = run
          AND popularity_discount > 0
    ), taken AS MATERIALIZED (
        SELECT top::bigint + cardinality(unwanted) + (SELECT count(*) FROM decided) AS hashtags
    ), good AS MATERIALIZED (
        SELECT coalesce((
            SELECT p.place
            FROM (
                SELECT tagdb_store.hashtag_place(
                           f.factors, query, by_cosine, popularity_discount,
                           greatest(f.images, 1) / (SELECT most.images FROM most)) AS place
                FROM tagdb_store.hashtag_factors f
                WHERE f.factor_run_id = run
                  AND f.ctid < (SELECT format('(%s,0)', 16 + taken.hashtags / 2)::tid FROM taken)
                  AND (min_score IS NULL OR f.factors <#> query <= -min_score)
            ) p
            WHERE p.place IS NOT NULL
            ORDER BY p.place
            OFFSET (SELECT taken.hashtags - 1 FROM taken)
            LIMIT 1), 'Infinity') AS place
    ), long AS MATERIALIZED (
        SELECT CASE WHEN NOT by_cosine AND popularity_discount = 0 AND good.place < 0
                    THEN 0.999 * -good.place / nullif(l2_norm(query), 0)
                    ELSE 0 END AS norm
        FROM good
    ), first AS MATERIALIZED (
        SELECT p.hashtag_id, p.place
        FROM (
            SELECT f.hashtag_id, tagdb_store.hashtag_place(
                       f.factors, query, by_cosine, popularity_discount,
                       greatest(f.images, 1) / (SELECT most.images FROM most)) AS place
            FROM tagdb_store.hashtag_factors f
            WHERE f.factor_run_id = run
              AND f.norm >= (SELECT coalesce(long.norm, 0) FROM long)
              AND (min_score IS NULL OR f.factors <#> query <= -min_score)
        ) p
        WHERE p.place <= (SELECT good.place FROM good)
        ORDER BY p.place, p.hashtag_id
        LIMIT (SELECT taken.hashtags FROM taken)
    ), plain AS (
        SELECT f.hashtag_id, f.place
        FROM first f
        WHERE f.hashtag_id NOT IN (SELECT decided.hashtag_id FROM decided)
          AND f.hashtag_id NOT IN (SELECT unnest(unwanted))
        ORDER BY f.place, f.hashtag_id
        LIMIT top
    ), aliases AS MATERIALIZED (
        SELECT d.alias_of AS hashtag_id, tagdb_store.hashtag_place(
                   f.factors, query, by_cosine, popularity_discount,
                   greatest(f.images, 1) / (SELECT most.images FROM most)) AS place
        FROM decided d
        CROSS JOIN LATERAL (
            SELECT x.factors, x.images FROM tagdb_store.hashtag_factors x
            WHERE x.factor_run_id = run AND x.hashtag_id = d.hashtag_id
        ) f
        WHERE NOT d.banned AND d.alias_of <> ALL (unwanted)
          AND (min_score IS NULL OR f.factors <#> query <= -min_score)
    ), each AS (
        SELECT DISTINCT ON (b.hashtag_id) b.hashtag_id, b.place
        FROM (SELECT plain.hashtag_id, plain.place FROM plain
              UNION ALL SELECT aliases.hashtag_id, aliases.place FROM aliases) b
        WHERE b.place IS NOT NULL
        ORDER BY b.hashtag_id, b.place
    ), best AS MATERIALIZED (
        SELECT e.hashtag_id, e.place
        FROM each e
        ORDER BY e.place, e.hashtag_id
        LIMIT top
    )
    SELECT (row_number() OVER (ORDER BY b.place, b.hashtag_id))::integer, b.hashtag_id, h.hashtag, -b.place
    FROM best b
    CROSS JOIN LATERAL (
        SELECT coalesce(x.spelling, x.hashtag) AS hashtag FROM tagdb_store.hashtags x WHERE x.hashtag_id = b.hashtag_id OFFSET 0
    ) h
    ORDER BY 1;
END;
