-- What the statistics count of each image. When an image has changed, this is taken from the counts, and what is true
-- now is added; so the counts are always those of this table.
CREATE TABLE tagdb_store.counted_images (
    image_id bigint
        CONSTRAINT counted_images_pkey PRIMARY KEY,
    collection text,
    seen_at timestamptz NOT NULL,
    hashtag_ids integer[] NOT NULL -- ascending
);
-- The images with a hashtag, and with two.
CREATE INDEX counted_images_hashtag_ids ON tagdb_store.counted_images USING gin (hashtag_ids);
