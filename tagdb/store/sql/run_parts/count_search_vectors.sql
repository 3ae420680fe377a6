-- The number of search vectors of a projection, up to a number.
SELECT count(*)
FROM (SELECT FROM tagdb_store.search_vectors v WHERE v.projection_id = %(projection_id)s LIMIT %(most)s) v
