-- Ends the lock that new_projection took to say that somebody is building.
SELECT pg_advisory_unlock(hashtext('tagdb projection'), %(projection_id)s)
