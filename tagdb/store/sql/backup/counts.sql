-- How much there is, of any revision of the schema.
SELECT pg_catalog.jsonb_build_object(
    'images', (SELECT pg_catalog.count(*) FROM tagdb_store.images),
    'hashtags', (SELECT pg_catalog.count(*) FROM tagdb_store.hashtags),
    'embeddings', (SELECT pg_catalog.count(*) FROM tagdb_store.embeddings),
    'factor_run', (SELECT r.factor_run_id FROM tagdb_store.factor_runs r WHERE r.status = 'active'))
