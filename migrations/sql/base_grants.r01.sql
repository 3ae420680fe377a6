-- The first of the rights, by name, so that they can be given again to roles that lost them: with a back-up
-- come no roles. See `tagdb init --repair`.
GRANT USAGE ON SCHEMA tagdb TO tagdb_reader;
GRANT USAGE ON SCHEMA tagdb_store TO tagdb_writer;
DO $$
BEGIN
    IF NOT pg_has_role('tagdb_writer', 'tagdb_reader', 'MEMBER') THEN
        GRANT tagdb_reader TO tagdb_writer;
    END IF;
EXCEPTION WHEN unique_violation THEN
    NULL; -- another database's tagdb was quicker
END
$$;
GRANT SELECT
    ON tagdb_store.alembic_version, tagdb_store.backbones, tagdb_store.factor_runs, tagdb_store.hashtags
    TO tagdb_writer;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON tagdb_store.ingest_runs, tagdb_store.ingest_errors, tagdb_store.images, tagdb_store.image_files,
       tagdb_store.image_hashtags, tagdb_store.embeddings, tagdb_store.image_factors, tagdb_store.hashtag_factors
    TO tagdb_writer;
