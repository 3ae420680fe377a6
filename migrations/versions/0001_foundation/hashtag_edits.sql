-- Every edit of hashtags, with the previous state, so that it can be undone.
CREATE TABLE tagdb_store.hashtag_edits (
    edit_id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT hashtag_edits_pkey PRIMARY KEY,
    kind text NOT NULL CONSTRAINT hashtag_edits_kind CHECK (kind IN ('alias', 'merge', 'ban')),
    hashtags text[] NOT NULL,
    into_hashtag text,
    before jsonb NOT NULL, -- hashtag_id, alias_of, banned and edit_id of each changed row of hashtags
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    made_by text NOT NULL DEFAULT session_user,
    undone_at timestamptz,
    undone_by text
);
