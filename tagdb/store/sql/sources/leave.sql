-- Notes that a source no longer has some images.
DELETE FROM tagdb_store.image_sources s
WHERE s.source_id = %(source_id)s AND s.image_id = ANY (%(image_ids)s)
