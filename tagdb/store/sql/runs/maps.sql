-- What folding into a run needs besides its factors.
SELECT m.image_gram, m.weighting, m.ridge, m.axes, m.backbone_id
FROM tagdb_store.factor_maps m
WHERE m.factor_run_id = %(factor_run_id)s
