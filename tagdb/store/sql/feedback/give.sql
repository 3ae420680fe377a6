SELECT i.image_id, i.uri, f.hashtags_accepted AS accepted, f.hashtags_rejected AS rejected
FROM tagdb_store.images i
CROSS JOIN LATERAL tagdb.give_feedback(
    i.image_id, %(accepted)s, %(rejected)s, %(factor_run_id)s) f
WHERE i.content_sha256 = %(content_sha256)s
