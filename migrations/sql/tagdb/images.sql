-- Every image, without its bytes and vectors.
CREATE OR REPLACE VIEW tagdb.images AS
SELECT i.image_id, encode(i.content_sha256, 'hex') AS content_sha256, i.uri, i.media_type, i.width,
       i.height, i.bytes, i.collection, i.source_ref, i.taken_at, i.ingested_at, i.ingest_run_id, i.metadata,
       -- Look-ups per image on purpose (so OFFSET 0): PostgreSQL would rather read whole tables for the first page.
       (SELECT count(DISTINCT coalesce(h.alias_of, ih.hashtag_id))
        FROM tagdb_store.image_hashtags ih
        CROSS JOIN LATERAL (SELECT x.alias_of, x.banned FROM tagdb_store.hashtags x
                            WHERE x.hashtag_id = ih.hashtag_id OFFSET 0) h
        WHERE ih.image_id = i.image_id AND NOT h.banned) AS hashtags,
       tagdb_store.has_embedding(i.image_id) AS has_embedding,
       tagdb_store.has_factors(i.image_id) AS has_factors
FROM tagdb_store.images i;
COMMENT ON VIEW tagdb.images IS 'Every image, identified by the SHA-256 of its content.';
COMMENT ON COLUMN tagdb.images.image_id IS
    'Key: the image, for functions such as tagdb.recommend_for_image.';
COMMENT ON COLUMN tagdb.images.content_sha256 IS 'SHA-256 of its bytes, in hexadecimal digits. The same content is one image.';
COMMENT ON COLUMN tagdb.images.uri IS 'Where the photo was when it was ingested.';
COMMENT ON COLUMN tagdb.images.media_type IS 'Its format, such as image/jpeg.';
COMMENT ON COLUMN tagdb.images.width IS 'Do not add up: in pixels, once it is upright.';
COMMENT ON COLUMN tagdb.images.height IS 'Do not add up: in pixels, once it is upright.';
COMMENT ON COLUMN tagdb.images.bytes IS 'Size of the file, in bytes.';
COMMENT ON COLUMN tagdb.images.collection IS
    'The search hashtag or collection under which the image was found.';
COMMENT ON COLUMN tagdb.images.source_ref IS 'Where the image came from, for example the link of its post.';
COMMENT ON COLUMN tagdb.images.taken_at IS 'When the photo was taken, according to its manifest or EXIF.';
COMMENT ON COLUMN tagdb.images.ingested_at IS 'When it was stored.';
COMMENT ON COLUMN tagdb.images.ingest_run_id IS 'Key: the ingest that stored it.';
COMMENT ON COLUMN tagdb.images.metadata IS 'Everything else in the manifest about the image.';
COMMENT ON COLUMN tagdb.images.hashtags IS
    'Number of its hashtags, with aliases resolved and banned ones left out.';
COMMENT ON COLUMN tagdb.images.has_embedding IS
    'Whether it has an embedding by the active backbone, so that searches find it.';
COMMENT ON COLUMN tagdb.images.has_factors IS
    'Whether it has factors in the active factor run, so that it can be a neighbour.';
