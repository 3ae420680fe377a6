SELECT pg_advisory_unlock(hashtext('tagdb backbone'), %(backbone_id)s)
