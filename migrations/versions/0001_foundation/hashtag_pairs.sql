-- Number of images per pair of hashtags, each pair once, written by refresh_statistics.
CREATE TABLE tagdb_store.hashtag_pairs (
    hashtag_id integer NOT NULL,
    other_id integer NOT NULL,
    images bigint NOT NULL,
    CONSTRAINT hashtag_pairs_pkey PRIMARY KEY (hashtag_id, other_id),
    CONSTRAINT hashtag_pairs_once CHECK (hashtag_id < other_id)
);
CREATE INDEX hashtag_pairs_other_id ON tagdb_store.hashtag_pairs (other_id, hashtag_id);
CREATE INDEX hashtag_pairs_images ON tagdb_store.hashtag_pairs (images);
