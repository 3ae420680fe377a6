-- How much memory the server lets a session use for building an index, in bytes.
SELECT pg_size_bytes(current_setting('maintenance_work_mem'))
