-- One grant at a time in a database, as they all rewrite the passfile.
SELECT pg_advisory_xact_lock(7420110118)
