-- Whether the active factor run was computed with the embeddings of another backbone than the active one.
SELECT EXISTS (
    SELECT
    FROM tagdb_store.factor_maps m
    JOIN tagdb_store.backbones b ON b.active
    WHERE m.factor_run_id = tagdb_store.active_run() AND m.backbone_id IS DISTINCT FROM b.backbone_id)
