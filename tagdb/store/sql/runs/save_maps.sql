-- What a run needs besides its factors. A backbone that was dropped while the run was computed is none any more.
INSERT INTO tagdb_store.factor_maps (factor_run_id, image_gram, weighting, ridge, axes, centre, spread, backbone_id)
VALUES (%(factor_run_id)s, %(image_gram)s, %(weighting)s, %(ridge)s, %(axes)s, %(centre)s,
        %(spread)s,
        (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.backbone_id = %(backbone_id)s))
