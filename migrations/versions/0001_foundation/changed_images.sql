-- Images that came, went or changed since the statistics last looked at them; written by triggers, and some of them
-- several times: without a key, nobody waits for anybody.
CREATE TABLE tagdb_store.changed_images (
    image_id bigint NOT NULL
);
