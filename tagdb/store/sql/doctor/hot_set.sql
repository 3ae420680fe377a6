-- What recommending reads again and again, table by table: sizes with indexes, how many pages were found in
-- PostgreSQL's own cache and how many were not, and rows as the planner believes.
-- For readers: the tables' names follow from the views, and sizes and counters are for everybody.
WITH hot AS (
    SELECT 'embeddings' AS what, 'embeddings_' || b.backbone_id AS name FROM tagdb.backbones b WHERE b.active
    UNION ALL
    SELECT k.what, k.what || '_' || r.factor_run_id
    FROM tagdb.factor_runs r, (VALUES ('image_factors'), ('hashtag_factors')) k (what)
    WHERE r.status = 'active'
    UNION ALL
    SELECT 'search_vectors', c.relname
    FROM pg_inherits i
    JOIN pg_class p ON p.oid = i.inhparent
    JOIN pg_class c ON c.oid = i.inhrelid
    WHERE p.relname = 'search_vectors'
      AND p.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'tagdb_store')
)
SELECT hot.what,
       pg_relation_size(c.oid) + coalesce((SELECT sum(pg_relation_size(x.indexrelid)) FROM pg_index x
                                           WHERE x.indrelid = c.oid), 0)::bigint AS bytes,
       (coalesce(s.heap_blks_hit, 0) + coalesce(s.idx_blks_hit, 0))::bigint AS hits,
       (coalesce(s.heap_blks_read, 0) + coalesce(s.idx_blks_read, 0))::bigint AS reads,
       greatest(c.reltuples, 0)::bigint AS rows
FROM hot
JOIN pg_class c ON c.relname = hot.name AND c.relnamespace = (SELECT n.oid FROM pg_namespace n
                                                              WHERE n.nspname = 'tagdb_store')
LEFT JOIN pg_statio_all_tables s ON s.relid = c.oid
ORDER BY 2 DESC
