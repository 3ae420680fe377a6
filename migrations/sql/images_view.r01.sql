-- Every image, without its bytes and vectors.
CREATE VIEW tagdb.images AS
SELECT i.image_id, encode(i.content_sha256, 'hex') AS content_sha256, i.uri, i.media_type, i.width,
       i.height, i.bytes, i.collection, i.source_ref, i.taken_at, i.ingested_at, i.ingest_run_id, i.metadata
FROM tagdb_store.images i;
COMMENT ON VIEW tagdb.images IS 'Every image, identified by the SHA-256 of its content.';
COMMENT ON COLUMN tagdb.images.collection IS 'The search hashtag or collection that the image was found under.';
COMMENT ON COLUMN tagdb.images.source_ref IS 'Where the image came from, for example the link of its post.';
COMMENT ON COLUMN tagdb.images.metadata IS 'Everything else that the manifest said of the image.';
