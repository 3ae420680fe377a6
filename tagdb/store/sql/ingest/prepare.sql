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
    metadata jsonb NOT NULL
) ON COMMIT DELETE ROWS;
