-- How the embeddings of a backbone, or else of the active one, are searched: by which projection, if any, how
-- many there are and how many have a search vector, by the planner's statistics, the sizes of what is read, and
-- what the last check found of the settings in use.
SELECT b.backbone_id, b.candidates, b.ef_search, p.projection_id, p.created_at, p.learned_from, p.kept, p.build_seconds,
       e.rows AS embeddings, e.bytes AS embeddings_bytes, coalesce(v.rows, 0) AS search_vectors,
       coalesce(v.bytes, 0) AS search_vectors_bytes, coalesce(v.index_bytes, 0) AS index_bytes,
       c.checked_at, c.images AS checked_images, c.recall, c.milliseconds
FROM tagdb_store.backbones b
CROSS JOIN LATERAL tagdb_store.stored('embeddings_' || b.backbone_id) e
LEFT JOIN tagdb_store.projections p ON p.backbone_id = b.backbone_id AND p.active
LEFT JOIN LATERAL tagdb_store.stored('search_vectors_' || p.projection_id) v ON true
LEFT JOIN LATERAL (
    SELECT x.checked_at, x.images, x.recall, x.milliseconds
    FROM tagdb_store.index_checks x
    WHERE x.projection_id = p.projection_id AND x.candidates = b.candidates AND x.ef_search = b.ef_search
    ORDER BY x.index_check_id DESC
    LIMIT 1
) c ON true
WHERE CASE WHEN %(backbone_id)s::integer IS NULL THEN b.active ELSE b.backbone_id = %(backbone_id)s END
  AND e.rows IS NOT NULL -- the table may be lost
