-- The backbone whose embeddings `ridge` predicts factors from: those of another one mean something else.
-- Without it (NULL: that backbone was dropped) images are folded in by their hashtags alone. Until now a
-- database had but one.
ALTER TABLE tagdb_store.factor_maps
    ADD COLUMN backbone_id integer CONSTRAINT factor_maps_backbone_id_fkey
        REFERENCES tagdb_store.backbones (backbone_id) ON DELETE SET NULL;
UPDATE tagdb_store.factor_maps
SET backbone_id = (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active)
WHERE ridge IS NOT NULL;
