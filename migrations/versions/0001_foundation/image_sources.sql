-- Which sources have an image, and what each has said of it. The hashtags of an image with source 'ingest' are those
-- that one of its sources has said. An array instead of rows, because a source has ten hashtags for an image and is
-- asked for all of them.
CREATE TABLE tagdb_store.image_sources (
    image_id bigint NOT NULL
        CONSTRAINT image_sources_image_id_fkey REFERENCES tagdb_store.images (image_id) ON DELETE CASCADE,
    source_id integer NOT NULL
        CONSTRAINT image_sources_source_id_fkey REFERENCES tagdb_store.sources (source_id),
    -- A hash of everything else that it has said, so that one that says the same again changes nothing, whatever
    -- another source has said since. NULL: what it says was not taken over.
    said bigint,
    hashtag_ids integer[] NOT NULL,
    fields text[] NOT NULL, -- names of the fields that it says, with the keys of the metadata
    CONSTRAINT image_sources_pkey PRIMARY KEY (image_id, source_id)
);
CREATE INDEX image_sources_source_id ON tagdb_store.image_sources (source_id);
