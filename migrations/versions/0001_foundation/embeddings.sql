-- One L2-normalised feature vector per image and backbone. Separate from `images`, because updating a row
-- under a vector index is expensive. One partition per backbone, created by add_backbone. PLAIN keeps the
-- 2.5 KB in the row: reading them from TOAST would dominate a search.
CREATE TABLE tagdb_store.embeddings (
    backbone_id integer NOT NULL
        CONSTRAINT embeddings_backbone_id_fkey REFERENCES tagdb_store.backbones (backbone_id),
    image_id bigint NOT NULL
        CONSTRAINT embeddings_image_id_fkey REFERENCES tagdb_store.images (image_id) ON DELETE CASCADE,
    embedding halfvec(1280) NOT NULL,
    CONSTRAINT embeddings_pkey PRIMARY KEY (image_id, backbone_id) -- so that an image is removed without a scan
) PARTITION BY LIST (backbone_id);
ALTER TABLE tagdb_store.embeddings ALTER COLUMN embedding SET STORAGE PLAIN;
