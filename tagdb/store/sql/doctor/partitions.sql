-- The tables that are made while tagdb runs, one a backbone, projection or factor run: whether each is
-- attached, what it belongs to and in what state that is, and whether a session is at work on it.
-- Also what has no table and should.
WITH owners AS (
    SELECT 'embeddings' AS parent, b.backbone_id AS number,
           CASE WHEN b.active THEN 'active' ELSE 'kept' END AS state, 'tagdb backbone' AS lock
    FROM tagdb_store.backbones b
    UNION ALL
    SELECT 'search_vectors', p.projection_id, CASE WHEN p.active THEN 'active' ELSE 'retired' END,
           'tagdb projection'
    FROM tagdb_store.projections p
    UNION ALL
    SELECT k.parent, r.factor_run_id, CASE WHEN r.pruned_at IS NULL THEN r.status ELSE 'pruned' END,
           'tagdb factor run'
    FROM tagdb_store.factor_runs r, (VALUES ('image_factors'), ('hashtag_factors')) k (parent)
), tables AS (
    SELECT c.oid, m.part[1] AS parent, m.part[2]::integer AS number, c.relispartition AS attached
    FROM pg_class c,
         LATERAL (SELECT regexp_match(c.relname,
                      '^(embeddings|search_vectors|image_factors|hashtag_factors)_(\d{1,9})$') AS part) m
    WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'tagdb_store')
      AND c.relkind = 'r' AND m.part IS NOT NULL
)
SELECT parent, number, t.oid IS NOT NULL AS there, coalesce(t.attached, false) AS attached,
       coalesce(o.state, 'gone') AS state, coalesce(pg_total_relation_size(t.oid), 0) AS bytes,
       EXISTS (SELECT FROM pg_locks l
               WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.objid::bigint = number
                 AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
                 AND l.classid::bigint = hashtext(o.lock)::bigint & 4294967295) AS at_work
FROM owners o
FULL JOIN tables t USING (parent, number)
ORDER BY parent, number
