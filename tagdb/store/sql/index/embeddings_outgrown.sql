-- Whether a backbone's embeddings have grown by a tenth since the planner last looked at them.
SELECT pg_relation_size(c.oid) > 1.1 * c.relpages * current_setting('block_size')::bigint
FROM pg_class c
WHERE c.relname = 'embeddings_' || %(backbone_id)s::integer AND c.relnamespace = 'tagdb_store'::regnamespace
