-- Makes a backbone the active one, unless it lacks embeddings that it must have; how many it lacks.
SELECT tagdb_store.activate_backbone(%(backbone_id)s, %(may_lack)s::bigint[])
