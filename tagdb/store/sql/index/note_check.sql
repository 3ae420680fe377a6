-- Puts a measurement of the vector index's recall on record.
INSERT INTO tagdb_store.index_checks
    (projection_id, images, queries, neighbours, candidates, ef_search, recall, milliseconds)
VALUES (%(projection_id)s, %(images)s, %(queries)s, %(neighbours)s, %(candidates)s, %(ef_search)s,
        %(recall)s, %(milliseconds)s)
