-- Drops all vector indexes. They are built anew.
SELECT count(tagdb_store.retire_projection(b.backbone_id)), tagdb_store.drop_projections()
FROM tagdb_store.backbones b
