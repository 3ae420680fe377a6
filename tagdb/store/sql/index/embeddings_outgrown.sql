-- Whether a backbone's embeddings have grown by a tenth since the planner last looked at them.
SELECT s.bytes > 1.1 * s.analysed FROM tagdb_store.stored('embeddings_' || %(backbone_id)s::integer) s
