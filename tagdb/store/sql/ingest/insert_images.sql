-- New images of the batch. In order of content, so that ingests running at once never wait for each
-- other in a circle; another's row that came first is kept.
WITH inserted AS (
    INSERT INTO tagdb_store.images AS i
        (content_sha256, uri, media_type, width, height, bytes, collection, source_ref, taken_at,
         ingest_run_id, metadata, etag)
    SELECT DISTINCT ON (n.content_sha256)
           n.content_sha256, n.uri, n.media_type, n.width, n.height, n.bytes, n.collection, n.source_ref,
           n.taken_at, %(ingest_run_id)s, n.metadata, n.etag
    FROM pg_temp.incoming_images n
    WHERE n.media_type IS NOT NULL
      AND NOT EXISTS (SELECT FROM tagdb_store.images k WHERE k.content_sha256 = n.content_sha256)
    ORDER BY n.content_sha256, n.ctid -- of several files, the first
    ON CONFLICT (content_sha256) DO NOTHING
    RETURNING i.content_sha256, i.image_id
)
SELECT inserted.content_sha256, inserted.image_id FROM inserted
