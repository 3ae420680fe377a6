-- The contents of objects that are stored and embedded already, by what a listing says of the objects.
SELECT i.uri, i.content_sha256
FROM unnest(%(uris)s::text[], %(etags)s::text[], %(sizes)s::bigint[]) AS n (uri, etag, bytes)
JOIN tagdb_store.images i
     ON i.etag = n.etag AND i.etag IS NOT NULL AND i.uri = n.uri AND i.bytes = n.bytes
JOIN tagdb_store.embeddings e ON e.backbone_id = %(backbone_id)s AND e.image_id = i.image_id
