-- Landing place of one batch of an ingest. Rows are gone with the transaction.
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_images (
    content_sha256 bytea NOT NULL,
    uri text NOT NULL,
    media_type text, -- NULL: the content is known, only what is said of it is new
    width integer,
    height integer,
    bytes bigint,
    collection text,
    source_ref text,
    taken_at timestamptz,
    metadata jsonb NOT NULL,
    source_id integer, -- which source says this
    said bigint, -- a hash of what it says
    first boolean NOT NULL, -- whether it says something of this image for the first time in this run
    etag text
) ON COMMIT DELETE ROWS;
