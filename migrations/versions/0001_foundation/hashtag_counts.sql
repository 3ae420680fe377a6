-- Statistics of each hashtag that is on an image, written by refresh_statistics. The statistics have no
-- foreign keys: everything is recomputed, and checking rows would cost more.
CREATE TABLE tagdb_store.hashtag_counts (
    hashtag_id integer
        CONSTRAINT hashtag_counts_pkey PRIMARY KEY,
    images bigint NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    hashtags_beside double precision NOT NULL
);
CREATE INDEX hashtag_counts_images ON tagdb_store.hashtag_counts (images);
