-- How far the vector index that a session builds has come, in search vectors.
SELECT c.tuples_done, c.tuples_total
FROM pg_stat_progress_create_index c
WHERE c.pid = %(pid)s AND c.tuples_total > 0
