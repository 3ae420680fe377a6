-- Projections are made and replaced through functions; writers add axes and search vectors, and note
-- what they measured. How hard searching tries is theirs to say.
GRANT SELECT ON tagdb_store.projections TO tagdb_writer;
GRANT SELECT, INSERT ON tagdb_store.projection_axes, tagdb_store.search_vectors, tagdb_store.index_checks
    TO tagdb_writer;
GRANT UPDATE (candidates, ef_search) ON tagdb_store.backbones TO tagdb_writer;
