-- The images of a source, and whether another source has them, too. Sources within a
-- folder are part of it.
SELECT s.image_id, i.content_sha256, i.uri, s.hashtag_ids,
       EXISTS (SELECT FROM tagdb_store.image_sources o
               JOIN tagdb_store.sources x ON x.source_id = o.source_id
               WHERE o.image_id = s.image_id AND o.source_id <> s.source_id
                 AND NOT (%(whole)s AND starts_with(x.location, %(location)s || '/'))) AS elsewhere
FROM tagdb_store.image_sources s
JOIN tagdb_store.images i ON i.image_id = s.image_id
WHERE s.source_id = %(source_id)s
ORDER BY i.uri, s.image_id
