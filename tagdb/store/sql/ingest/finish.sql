UPDATE tagdb_store.ingest_runs SET finished_at = clock_timestamp() WHERE ingest_run_id = %(ingest_run_id)s
