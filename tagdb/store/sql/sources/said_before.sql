-- What sources have said of images before.
SELECT s.image_id, s.source_id, s.said, s.hashtag_ids, s.fields
FROM tagdb_store.image_sources s
WHERE s.image_id = ANY (%(image_ids)s) AND s.source_id = ANY (%(source_ids)s)
