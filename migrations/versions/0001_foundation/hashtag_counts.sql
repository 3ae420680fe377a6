-- Statistics of each hashtag that is on an image, written by refresh_statistics and count_changed_images. The statistics
-- have no foreign keys: everything is computed, and checking rows would cost more.
CREATE TABLE tagdb_store.hashtag_counts (
    hashtag_id integer
        CONSTRAINT hashtag_counts_pkey PRIMARY KEY,
    images bigint NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    beside bigint NOT NULL, -- other hashtags on these images, added up
    changed bigint NOT NULL -- images since its spellings were counted
);
CREATE INDEX hashtag_counts_images ON tagdb_store.hashtag_counts (images);
