SELECT tagdb_store.drop_backbone(%(backbone_id)s)
