-- Projections are made and replaced through functions; writers add axes and search vectors, and note
-- what they measured. How many candidates to take is theirs to say.
GRANT SELECT ON tagdb_store.projections TO tagdb_writer;
GRANT SELECT, INSERT ON tagdb_store.projection_axes, tagdb_store.search_vectors, tagdb_store.index_checks
    TO tagdb_writer;
