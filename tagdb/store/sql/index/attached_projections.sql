-- The projections that a backbone's search vectors are made by; none may come or go until the transaction ends.
SELECT tagdb_store.attached_projections(%(backbone_id)s)
