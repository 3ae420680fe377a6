-- Number of images per collection and hashtag, written by refresh_statistics.
CREATE TABLE tagdb_store.hashtag_collections (
    hashtag_id integer NOT NULL,
    collection text NOT NULL,
    images bigint NOT NULL,
    CONSTRAINT hashtag_collections_pkey PRIMARY KEY (hashtag_id, collection)
);
CREATE INDEX hashtag_collections_collection ON tagdb_store.hashtag_collections (collection, images DESC, hashtag_id);
