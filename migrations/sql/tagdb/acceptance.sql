-- How recommendations were received, by factor run and week. Every word counts, also one that was
-- taken back later.
CREATE OR REPLACE VIEW tagdb.acceptance AS
SELECT f.factor_run_id, date_trunc('week', f.given_at AT TIME ZONE 'UTC')::date AS week,
       count(DISTINCT f.image_id) AS images,
       count(*) FILTER (WHERE f.accepted) AS accepted,
       count(*) FILTER (WHERE NOT f.accepted) AS rejected,
       (count(*) FILTER (WHERE f.accepted))::double precision / count(*) AS acceptance
FROM tagdb_store.feedback f
GROUP BY 1, 2;
COMMENT ON VIEW tagdb.acceptance IS 'How recommendations were received: a row for each factor run and week in which feedback on it was given.';
COMMENT ON COLUMN tagdb.acceptance.factor_run_id IS 'The factor run that had recommended; NULL for feedback given while there was none.';
COMMENT ON COLUMN tagdb.acceptance.week IS 'Monday of the week, in UTC.';
COMMENT ON COLUMN tagdb.acceptance.images IS 'Images that feedback was given on.';
COMMENT ON COLUMN tagdb.acceptance.accepted IS 'How often a hashtag was accepted.';
COMMENT ON COLUMN tagdb.acceptance.rejected IS 'How often one was rejected.';
COMMENT ON COLUMN tagdb.acceptance.acceptance IS 'Share of the accepted ones, 0 to 1.';
