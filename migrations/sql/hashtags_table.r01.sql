-- A hashtag, folded and without '#'.
CREATE TABLE tagdb_store.hashtags (
    hashtag_id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT hashtags_pkey PRIMARY KEY,
    hashtag text NOT NULL
        CONSTRAINT hashtags_hashtag_key UNIQUE
        CONSTRAINT hashtags_hashtag_length CHECK (char_length(hashtag) BETWEEN 1 AND 150),
    created_at timestamptz NOT NULL DEFAULT now()
);
