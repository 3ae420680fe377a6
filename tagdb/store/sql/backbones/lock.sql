-- Keeps other processes from filling or dropping a backbone, until this session unlocks it or ends.
SELECT pg_advisory_lock(hashtext('tagdb backbone'), %(backbone_id)s)
