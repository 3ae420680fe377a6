-- How the embeddings of a backbone, or else of the active one, are searched: by which projection, if any, how
-- many there are and how many have a search vector, by the planner's statistics, the sizes of what is read, and
-- what the last check found of the settings in use.
SELECT b.backbone_id, b.candidates, b.ef_search, p.projection_id, p.created_at, p.learned_from, p.kept, p.build_seconds,
       greatest(e.reltuples, 0)::bigint AS embeddings,
       pg_table_size(e.oid) AS embeddings_bytes,
       coalesce(greatest(v.reltuples, 0), 0)::bigint AS search_vectors,
       coalesce(pg_table_size(v.oid), 0)::bigint AS search_vectors_bytes,
       coalesce((SELECT sum(pg_relation_size(x.indexrelid)) FROM pg_index x
                 JOIN pg_class ic ON ic.oid = x.indexrelid
                 JOIN pg_am a ON a.oid = ic.relam
                 WHERE x.indrelid = v.oid AND a.amname = 'hnsw'), 0)::bigint AS index_bytes,
       c.checked_at, c.images AS checked_images, c.recall, c.milliseconds
FROM tagdb_store.backbones b
JOIN pg_class e ON e.relname = 'embeddings_' || b.backbone_id AND e.relnamespace = 'tagdb_store'::regnamespace
LEFT JOIN tagdb_store.projections p ON p.backbone_id = b.backbone_id AND p.active
LEFT JOIN pg_class v
       ON v.relname = 'search_vectors_' || p.projection_id AND v.relnamespace = 'tagdb_store'::regnamespace
LEFT JOIN LATERAL (
    SELECT x.checked_at, x.images, x.recall, x.milliseconds
    FROM tagdb_store.index_checks x
    WHERE x.projection_id = p.projection_id AND x.candidates = b.candidates AND x.ef_search = b.ef_search
    ORDER BY x.index_check_id DESC
    LIMIT 1
) c ON true
WHERE CASE WHEN %(backbone_id)s::integer IS NULL THEN b.active ELSE b.backbone_id = %(backbone_id)s END
