-- Builds the HNSW index over a projection's search vectors.
SELECT tagdb_store.index_projection(%(projection_id)s)
