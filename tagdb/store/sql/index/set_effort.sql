-- Says how hard searching a backbone's images tries.
UPDATE tagdb_store.backbones
SET candidates = %(candidates)s, ef_search = %(ef_search)s
WHERE backbone_id = %(backbone_id)s
