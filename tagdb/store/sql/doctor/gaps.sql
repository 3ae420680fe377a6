-- Images without an embedding of the active backbone, and from which sources they came.
WITH missing AS MATERIALIZED (
    SELECT i.image_id, i.ingest_run_id
    FROM tagdb_store.images i
    WHERE i.image_id IN (
        SELECT a.image_id FROM tagdb_store.images a
        EXCEPT SELECT e.image_id FROM tagdb_store.embeddings e
        WHERE e.backbone_id = (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active))
)
SELECT (SELECT count(*) FROM missing) AS images,
       coalesce((SELECT array_agg(DISTINCT s.source)
                 FROM (SELECT DISTINCT m.ingest_run_id FROM missing m) m
                 JOIN tagdb_store.ingest_runs r ON r.ingest_run_id = m.ingest_run_id,
                      unnest(r.sources) s (source)), '{}') AS sources
