SELECT a.factor_run_id, a.week, a.images, a.accepted, a.rejected, a.acceptance
FROM tagdb.acceptance a
ORDER BY a.week, a.factor_run_id
