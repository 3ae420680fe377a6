-- The bytes of images, separate from `images` so that scans stay narrow. They are already compressed:
-- EXTERNAL keeps PostgreSQL from trying again. An original is here, or stays where `kept_at` says and is read
-- there when it is needed; with neither, it was left out.
CREATE TABLE tagdb_store.image_files (
    image_id bigint
        CONSTRAINT image_files_pkey PRIMARY KEY
        CONSTRAINT image_files_image_id_fkey REFERENCES tagdb_store.images (image_id) ON DELETE CASCADE,
    original bytea,
    thumbnail bytea NOT NULL,
    kept_at text,
    CONSTRAINT image_files_one_original CHECK (original IS NULL OR kept_at IS NULL)
);
ALTER TABLE tagdb_store.image_files
    ALTER COLUMN original SET STORAGE EXTERNAL,
    ALTER COLUMN thumbnail SET STORAGE EXTERNAL;
