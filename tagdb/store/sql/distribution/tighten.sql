-- The opposite of loosen, where all is in one database again.
ALTER TABLE tagdb_store.embeddings
    ADD CONSTRAINT embeddings_backbone_id_fkey FOREIGN KEY (backbone_id) REFERENCES tagdb_store.backbones (backbone_id),
    ADD CONSTRAINT embeddings_image_id_fkey
        FOREIGN KEY (image_id) REFERENCES tagdb_store.images (image_id) ON DELETE CASCADE;
ALTER TABLE tagdb_store.search_vectors
    ADD CONSTRAINT search_vectors_image_id_fkey
        FOREIGN KEY (image_id) REFERENCES tagdb_store.images (image_id) ON DELETE CASCADE;
