-- What its owner has decided about a hashtag. Nothing on the images is rewritten: an alias counts as
-- another hashtag, a banned one counts as none, from the moment this is committed.
ALTER TABLE tagdb_store.hashtags
    ADD COLUMN alias_of integer
        CONSTRAINT hashtags_alias_of_fkey REFERENCES tagdb_store.hashtags (hashtag_id)
        CONSTRAINT hashtags_alias_of_another CHECK (alias_of <> hashtag_id),
    ADD COLUMN banned boolean NOT NULL DEFAULT false,
    ADD COLUMN edit_id bigint -- which edit made it so
        CONSTRAINT hashtags_edit_id_fkey REFERENCES tagdb_store.hashtag_edits (edit_id);
CREATE INDEX hashtags_alias_of ON tagdb_store.hashtags (alias_of) WHERE alias_of IS NOT NULL;
-- Few hashtags are banned or aliases; recommending reads them all.
CREATE INDEX hashtags_decided ON tagdb_store.hashtags (hashtag_id) INCLUDE (alias_of, banned)
    WHERE banned OR alias_of IS NOT NULL;
-- In the order of bytes, whatever the database's locale: what begins with a prefix is a range.
CREATE INDEX hashtags_prefix ON tagdb_store.hashtags (hashtag text_pattern_ops);
