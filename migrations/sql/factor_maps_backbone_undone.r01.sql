-- Forgets whose embeddings `ridge` predicts factors from, and where they are not the active backbone's also
-- how it does.
UPDATE tagdb_store.factor_maps
SET ridge = NULL
WHERE ridge IS NOT NULL
  AND backbone_id IS DISTINCT FROM (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active);
ALTER TABLE tagdb_store.factor_maps DROP COLUMN backbone_id;
