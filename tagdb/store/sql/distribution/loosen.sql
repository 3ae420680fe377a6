-- Tables of which each worker has a part cannot refer to one that only the coordinator has. remove_images removes what
-- belongs to an image.
ALTER TABLE tagdb_store.embeddings
    DROP CONSTRAINT embeddings_image_id_fkey, DROP CONSTRAINT embeddings_backbone_id_fkey;
ALTER TABLE tagdb_store.search_vectors DROP CONSTRAINT search_vectors_image_id_fkey;
