-- The hashtags of images, and where they came from. Factors are computed from these pairs, the
-- interactions.
CREATE TABLE tagdb_store.image_hashtags (
    image_id bigint NOT NULL
        CONSTRAINT image_hashtags_image_id_fkey REFERENCES tagdb_store.images (image_id) ON DELETE CASCADE,
    hashtag_id integer NOT NULL
        CONSTRAINT image_hashtags_hashtag_id_fkey REFERENCES tagdb_store.hashtags (hashtag_id),
    -- 'ingest': a source of the image has said it (image_sources), and may take it back; 'photo': it is
    -- written in the photo; 'feedback': it was accepted;
    -- 'tag': somebody gave it
    source text NOT NULL DEFAULT 'ingest',
    spelling text, -- as written on this image, without '#'; NULL: as it is folded
    CONSTRAINT image_hashtags_pkey PRIMARY KEY (image_id, hashtag_id)
);
CREATE INDEX image_hashtags_hashtag_id ON tagdb_store.image_hashtags (hashtag_id, image_id);
-- Few hashtags are written otherwise than they are folded, and refreshing looks at these alone.
CREATE INDEX image_hashtags_spelled ON tagdb_store.image_hashtags (hashtag_id) WHERE spelling IS NOT NULL;
