-- Ingests that broke off: not finished, not repeated since, and no session of tagdb's is as old as they are.
SELECT r.sources, max(r.started_at) AS started_at
FROM tagdb_store.ingest_runs r
WHERE r.finished_at IS NULL
  AND NOT EXISTS (SELECT FROM tagdb_store.ingest_runs o
                  WHERE o.sources = r.sources AND o.finished_at IS NOT NULL AND o.started_at > r.started_at)
  AND NOT EXISTS (SELECT FROM pg_stat_activity a
                  WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
                    AND a.application_name LIKE 'tagdb%%'
                    AND (a.backend_start IS NULL OR a.backend_start <= r.started_at))
GROUP BY r.sources
ORDER BY 2 DESC
