-- Photos that were sent by SQL and wait for hashtags, and the answers. Nothing here is kept: see
-- tagdb/store/sql/requests/clean.sql.
CREATE TABLE tagdb_store.requests (
    request_id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT requests_pkey PRIMARY KEY,
    asked_by text NOT NULL DEFAULT session_user,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    photo bytea, -- NULL: it was answered
    byte_count integer NOT NULL, -- of the photo
    arguments jsonb NOT NULL, -- of tagdb.recommend_for_embedding, all but the first
    store jsonb, -- how the photo is to be stored: hashtags, name, collection; NULL: it is not
    -- Number of the worker that has it, which holds a lock on the number as long as it lives.
    taken_by integer,
    taken_at timestamptz,
    tries integer NOT NULL DEFAULT 0,
    answered_at timestamptz,
    hashtags jsonb, -- the answer: rank, hashtag, score
    image_id bigint, -- of a photo that was stored
    refused text, -- why there is no answer
    CONSTRAINT requests_answered CHECK ((answered_at IS NULL) = (hashtags IS NULL AND refused IS NULL)),
    CONSTRAINT requests_kept CHECK ((answered_at IS NULL) = (photo IS NOT NULL))
);
ALTER TABLE tagdb_store.requests ALTER COLUMN photo SET STORAGE EXTERNAL; -- photos are compressed already
CREATE INDEX requests_waiting ON tagdb_store.requests (request_id) WHERE answered_at IS NULL;
CREATE INDEX requests_asked_by ON tagdb_store.requests (asked_by) INCLUDE (byte_count) WHERE answered_at IS NULL;
CREATE INDEX requests_answered_at ON tagdb_store.requests (answered_at) WHERE answered_at IS NOT NULL;
