-- The projection that a backbone's search vectors are made by; none may take its place until the transaction ends.
SELECT tagdb_store.searched_projection(%(backbone_id)s)
