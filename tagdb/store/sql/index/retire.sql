-- Searches a backbone's embeddings without an index from now on; whether it was otherwise.
SELECT tagdb_store.retire_projection(%(backbone_id)s)
