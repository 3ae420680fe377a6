-- Whose embeddings and which factors are exported: the active backbone, and the active run with its number of factors.
SELECT (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active) AS backbone_id,
       r.factor_run_id, r.factors
FROM (SELECT 1) AS one (row)
LEFT JOIN tagdb_store.factor_runs r ON r.status = 'active'
