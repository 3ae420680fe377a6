COPY tagdb_store.ingest_errors (ingest_run_id, origin, line, reason, reason_code) FROM STDIN
