-- The hashtags of images, and where they came from. Factors are computed from these pairs, the
-- interactions.
CREATE TABLE tagdb_store.image_hashtags (
    image_id bigint NOT NULL
        CONSTRAINT image_hashtags_image_id_fkey REFERENCES tagdb_store.images (image_id) ON DELETE CASCADE,
    hashtag_id integer NOT NULL
        CONSTRAINT image_hashtags_hashtag_id_fkey REFERENCES tagdb_store.hashtags (hashtag_id),
    source text NOT NULL DEFAULT 'ingest',
    CONSTRAINT image_hashtags_pkey PRIMARY KEY (image_id, hashtag_id)
);
CREATE INDEX image_hashtags_hashtag_id ON tagdb_store.image_hashtags (hashtag_id, image_id);
