-- Waits for anybody who is changing the schema, and keeps others from changing it until the transaction ends.
SELECT pg_advisory_xact_lock(%(key)s)
