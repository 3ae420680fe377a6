-- Accepted and rejected recommendations by factor run and week. All feedback counts, even if it was undone
-- later.
CREATE OR REPLACE VIEW tagdb.acceptance AS
SELECT f.factor_run_id, date_trunc('week', f.given_at AT TIME ZONE 'UTC')::date AS week,
       count(DISTINCT f.image_id) AS images,
       count(*) FILTER (WHERE f.accepted) AS accepted,
       count(*) FILTER (WHERE NOT f.accepted) AS rejected,
       (count(*) FILTER (WHERE f.accepted))::double precision / count(*) AS acceptance,
       round(100.0 * count(*) FILTER (WHERE f.accepted) / count(*), 1)::double precision AS acceptance_percent
FROM tagdb_store.feedback f
GROUP BY 1, 2;
COMMENT ON VIEW tagdb.acceptance IS
    'How many recommendations were accepted: one row per factor run and week with feedback.';
COMMENT ON COLUMN tagdb.acceptance.factor_run_id IS
    'Key: the factor run that made the recommendations; NULL for feedback given without an active run.';
COMMENT ON COLUMN tagdb.acceptance.week IS 'Monday of the week, in UTC.';
COMMENT ON COLUMN tagdb.acceptance.images IS 'Do not add up: images with feedback in the week, which may get more in another.';
COMMENT ON COLUMN tagdb.acceptance.accepted IS 'How often a hashtag was accepted.';
COMMENT ON COLUMN tagdb.acceptance.rejected IS 'How often a hashtag was rejected.';
COMMENT ON COLUMN tagdb.acceptance.acceptance IS 
    'Do not add up or average: share of accepted hashtags, 0 to 1. Over several weeks: sum(accepted) by the sum of both.';
COMMENT ON COLUMN tagdb.acceptance.acceptance_percent IS
    'Do not add up or average: the same in percent.';
