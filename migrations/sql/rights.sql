-- Askers send photos and read their own answers. Readers also see the views and may execute the functions of schema
-- tagdb, except those that write and those that give out thumbnails and vectors. Analysts get these, too. Writers also
-- ingest and recompute; PUBLIC gets nothing. Run after everything is recreated. A revision that takes a right away
-- revokes it itself.
REVOKE ALL ON SCHEMA tagdb, tagdb_store FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA tagdb FROM PUBLIC;
REVOKE ALL ON ALL ROUTINES IN SCHEMA tagdb, tagdb_store FROM PUBLIC;

GRANT USAGE ON SCHEMA tagdb TO tagdb_asker, tagdb_reader;
GRANT EXECUTE ON FUNCTION tagdb.workers, tagdb.submit_photo, tagdb.request_state, tagdb.answer, tagdb.withdraw_photo
    TO tagdb_asker;
GRANT EXECUTE ON PROCEDURE tagdb.recommend_photo TO tagdb_asker;
GRANT SELECT ON ALL TABLES IN SCHEMA tagdb TO tagdb_reader;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA tagdb TO tagdb_reader;
GRANT EXECUTE ON FUNCTION tagdb_store.has_embedding, tagdb_store.has_factors, tagdb_store.count_vectors, tagdb_store.at_least -- in views
    TO tagdb_reader;
REVOKE EXECUTE ON FUNCTION
    tagdb.give_feedback, tagdb.withdraw_feedback, tagdb.remove_images, tagdb.remove_image, tagdb.tag_image,
    tagdb.untag_image, tagdb.thumbnail, tagdb.embedding, tagdb.image_factors, tagdb.hashtag_factors,
    tagdb.submit_photo, tagdb.withdraw_photo -- which a reader has as an asker
    FROM tagdb_reader;
GRANT EXECUTE ON FUNCTION
    tagdb.thumbnail, tagdb.embedding, tagdb.image_factors, tagdb.hashtag_factors
    TO tagdb_analyst;
GRANT EXECUTE ON FUNCTION
    tagdb.give_feedback, tagdb.withdraw_feedback, tagdb.remove_images, tagdb.remove_image, tagdb.tag_image,
    tagdb.untag_image
    TO tagdb_writer;

GRANT USAGE ON SCHEMA tagdb_store TO tagdb_writer;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA tagdb_store TO tagdb_writer;
GRANT SELECT ON tagdb_store.alembic_version TO tagdb_writer;

-- What writers change themselves.
GRANT SELECT, INSERT, UPDATE, DELETE
    ON tagdb_store.ingest_runs, tagdb_store.ingest_errors, tagdb_store.images, tagdb_store.image_files,
       tagdb_store.image_sources, tagdb_store.image_hashtags, tagdb_store.embeddings, tagdb_store.image_factors,
       tagdb_store.hashtag_factors, tagdb_store.factor_defaults, tagdb_store.backbones
    TO tagdb_writer;
GRANT SELECT, UPDATE, DELETE ON tagdb_store.requests TO tagdb_writer; -- as a worker
GRANT SELECT, INSERT
    ON tagdb_store.sources, tagdb_store.feedback, tagdb_store.factor_maps, tagdb_store.projection_axes,
       tagdb_store.search_vectors, tagdb_store.index_checks
    TO tagdb_writer;
-- What functions change for them: decisions about hashtags, statistics, factor runs, projections.
GRANT SELECT
    ON tagdb_store.networks, tagdb_store.hashtags, tagdb_store.hashtag_edits, tagdb_store.counted_hashtags,
       tagdb_store.statistics,
       tagdb_store.counted_images, tagdb_store.changed_images, tagdb_store.hashtag_counts, tagdb_store.hashtag_collections,
       tagdb_store.hashtag_pairs,
       tagdb_store.hashtag_trend, tagdb_store.hashtag_ranks, tagdb_store.factor_runs, tagdb_store.factor_parts, tagdb_store.verdicts, tagdb_store.interactions,
       tagdb_store.projections
    TO tagdb_writer;
GRANT INSERT (hashtag, spelling) ON tagdb_store.hashtags TO tagdb_writer;
GRANT UPDATE (candidates, ef_search) ON tagdb_store.backbones TO tagdb_writer;
