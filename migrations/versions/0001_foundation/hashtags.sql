-- A hashtag, folded and without '#', and what its owner has decided about it. Deciding rewrites nothing on
-- the images: an alias counts as another hashtag, and a banned one does not count, as soon as that is committed.
CREATE TABLE tagdb_store.hashtags (
    hashtag_id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT hashtags_pkey PRIMARY KEY,
    hashtag text NOT NULL
        CONSTRAINT hashtags_hashtag_key UNIQUE
        CONSTRAINT hashtags_hashtag_length CHECK (char_length(hashtag) BETWEEN 1 AND 150),
    created_at timestamptz NOT NULL DEFAULT now(),
    alias_of integer
        CONSTRAINT hashtags_alias_of_fkey REFERENCES tagdb_store.hashtags (hashtag_id)
        CONSTRAINT hashtags_alias_of_another CHECK (alias_of <> hashtag_id),
    banned boolean NOT NULL DEFAULT false,
    spelling text, -- as most images write it; NULL: as it is folded
    edit_id bigint -- the edit that made it an alias or banned it
        CONSTRAINT hashtags_edit_id_fkey REFERENCES tagdb_store.hashtag_edits (edit_id)
);
CREATE INDEX hashtags_alias_of ON tagdb_store.hashtags (alias_of) WHERE alias_of IS NOT NULL;
-- Few hashtags are banned or aliases; recommending reads all of these.
CREATE INDEX hashtags_decided ON tagdb_store.hashtags (hashtag_id) INCLUDE (alias_of, banned)
    WHERE banned OR alias_of IS NOT NULL;
-- In byte order, whatever the database's locale, so that all hashtags with a prefix are one range.
CREATE INDEX hashtags_prefix ON tagdb_store.hashtags (hashtag text_pattern_ops);
