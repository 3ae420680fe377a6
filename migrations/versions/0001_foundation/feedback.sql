-- Feedback on hashtags of an image. Rows are only added, or taken back: the latest one per image and hashtag counts.
CREATE TABLE tagdb_store.feedback (
    feedback_id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT feedback_pkey PRIMARY KEY,
    image_id bigint NOT NULL
        CONSTRAINT feedback_image_id_fkey REFERENCES tagdb_store.images (image_id) ON DELETE CASCADE,
    hashtag_id integer NOT NULL
        CONSTRAINT feedback_hashtag_id_fkey REFERENCES tagdb_store.hashtags (hashtag_id),
    accepted boolean NOT NULL, -- otherwise rejected
    factor_run_id integer -- the run that made the recommendation
        CONSTRAINT feedback_factor_run_id_fkey REFERENCES tagdb_store.factor_runs (factor_run_id),
    given_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    given_by text NOT NULL DEFAULT session_user
);
CREATE INDEX feedback_image_id ON tagdb_store.feedback (image_id, hashtag_id, feedback_id);
CREATE INDEX feedback_factor_run_id ON tagdb_store.feedback (factor_run_id, given_at);
