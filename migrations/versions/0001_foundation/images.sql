-- An image is identified by its bytes: the same content is one row, whatever the file's name. `etag` is what
-- an object store's listing said of the object at `uri`: while that is the same, it need not be read again.
CREATE TABLE tagdb_store.images (
    image_id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT images_pkey PRIMARY KEY,
    content_sha256 bytea NOT NULL
        CONSTRAINT images_content_sha256_key UNIQUE
        CONSTRAINT images_content_sha256_size CHECK (octet_length(content_sha256) = 32),
    uri text NOT NULL,
    media_type text NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    bytes bigint NOT NULL,
    collection text,
    source_ref text,
    taken_at timestamptz,
    ingested_at timestamptz NOT NULL DEFAULT now(),
    ingest_run_id bigint
        CONSTRAINT images_ingest_run_id_fkey
        REFERENCES tagdb_store.ingest_runs (ingest_run_id) ON DELETE SET NULL,
    metadata jsonb NOT NULL DEFAULT '{}',
    etag text
);
CREATE INDEX images_collection ON tagdb_store.images (collection);
CREATE INDEX images_etag ON tagdb_store.images (etag) WHERE etag IS NOT NULL;
CREATE INDEX images_ingest_run_id ON tagdb_store.images (ingest_run_id);
-- by time: pages of a gallery
CREATE INDEX images_time ON tagdb_store.images (coalesce(taken_at, ingested_at), image_id);
