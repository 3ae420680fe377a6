-- When the statistics were computed, and from how many images. One row.
CREATE TABLE tagdb_store.statistics (
    one boolean NOT NULL DEFAULT true
        CONSTRAINT statistics_pkey PRIMARY KEY CONSTRAINT statistics_one CHECK (one),
    refreshed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seconds double precision NOT NULL DEFAULT 0,
    images bigint NOT NULL DEFAULT 0,
    min_images integer NOT NULL DEFAULT 2
        CONSTRAINT statistics_min_images_positive CHECK (min_images > 0)
);
INSERT INTO tagdb_store.statistics DEFAULT VALUES;
