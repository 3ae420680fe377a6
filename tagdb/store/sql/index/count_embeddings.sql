SELECT count(*) FROM tagdb_store.embeddings e WHERE e.backbone_id = %(backbone_id)s
