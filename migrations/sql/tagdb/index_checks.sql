-- The history of the vector index's recall.
CREATE OR REPLACE VIEW tagdb.index_checks AS
SELECT c.index_check_id, c.checked_at, c.images, c.queries, c.neighbours, c.candidates, c.ef_search,
       c.recall, c.milliseconds, round(100 * c.recall::numeric, 2)::double precision AS recall_percent
FROM tagdb_store.index_checks c;
COMMENT ON VIEW tagdb.index_checks IS
    'The recall of the vector index each time it was checked; see tagdb index check.';
COMMENT ON COLUMN tagdb.index_checks.index_check_id IS
    'Key: the measurement; a check makes one per pair of settings tried.';
COMMENT ON COLUMN tagdb.index_checks.checked_at IS 'When it was measured.';
COMMENT ON COLUMN tagdb.index_checks.images IS 'Do not add up: images in the index.';
COMMENT ON COLUMN tagdb.index_checks.queries IS 'Setting: number of searches.';
COMMENT ON COLUMN tagdb.index_checks.neighbours IS 'Setting: nearest images per search.';
COMMENT ON COLUMN tagdb.index_checks.candidates IS 'Setting: images taken from the index and ranked exactly.';
COMMENT ON COLUMN tagdb.index_checks.ef_search IS
    'Setting: size of the index''s candidate list during a search: hnsw.ef_search.';
COMMENT ON COLUMN tagdb.index_checks.recall IS 
    'Do not add up or average: share of the true nearest images found, 0 to 1.';
COMMENT ON COLUMN tagdb.index_checks.milliseconds IS 
    'Do not add up or average: median time of a search, in ms, as seen by the program.';
COMMENT ON COLUMN tagdb.index_checks.recall_percent IS 'Do not add up or average: recall in percent.';
