INSERT INTO tagdb_store.ingest_runs (sources) VALUES (%(sources)s) RETURNING ingest_run_id
