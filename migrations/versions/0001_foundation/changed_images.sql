-- Images that came, went or changed since the statistics last looked at them; written by triggers, and some of them
-- several times: without a key on the image, nobody waits for anybody.
CREATE TABLE tagdb_store.changed_images (
    change_id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT changed_images_pkey PRIMARY KEY,
    image_id bigint NOT NULL
);
