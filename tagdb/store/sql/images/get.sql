SELECT i.image_id, i.content_sha256, i.uri, i.media_type, i.width, i.height, i.bytes, i.collection, i.source_ref,
       i.taken_at, i.ingested_at, i.ingest_run_id, i.metadata, i.has_embedding, i.has_factors
FROM tagdb.images i
WHERE i.image_id = %(image_id)s
