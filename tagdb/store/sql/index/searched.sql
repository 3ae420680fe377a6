-- The projection that searches of a backbone use, or NULL without a vector index.
SELECT (SELECT p.projection_id FROM tagdb_store.projections p WHERE p.backbone_id = %(backbone_id)s AND p.active)
