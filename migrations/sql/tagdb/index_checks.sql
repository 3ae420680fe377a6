-- The history of the vector index's recall.
CREATE OR REPLACE VIEW tagdb.index_checks AS
SELECT c.index_check_id, c.checked_at, c.images, c.queries, c.neighbours, c.candidates, c.ef_search,
       c.recall, c.milliseconds
FROM tagdb_store.index_checks c;
COMMENT ON VIEW tagdb.index_checks IS 'What share of the true nearest images the vector index found, each time it was checked; see tagdb index check.';
COMMENT ON COLUMN tagdb.index_checks.index_check_id IS 'Number of the measurement; a check makes one for each pair of settings it tries.';
COMMENT ON COLUMN tagdb.index_checks.checked_at IS 'When it was measured.';
COMMENT ON COLUMN tagdb.index_checks.images IS 'Images that the index held.';
COMMENT ON COLUMN tagdb.index_checks.queries IS 'Embeddings that were searched for.';
COMMENT ON COLUMN tagdb.index_checks.neighbours IS 'Nearest images that were asked for.';
COMMENT ON COLUMN tagdb.index_checks.candidates IS 'Images taken from the index and ranked exactly.';
COMMENT ON COLUMN tagdb.index_checks.ef_search IS 'Images that the index''s walk kept in sight: hnsw.ef_search.';
COMMENT ON COLUMN tagdb.index_checks.recall IS 'Share of the true nearest images that were found, from 0 to 1.';
COMMENT ON COLUMN tagdb.index_checks.milliseconds IS 'Median time of a search, as the program saw it.';
