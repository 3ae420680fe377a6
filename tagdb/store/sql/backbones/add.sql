-- Registers a backbone, and makes its partition of embeddings; the first one becomes active. Stores its network.
SELECT tagdb_store.add_backbone(%(name)s, %(input_size)s, %(weights_sha256)s, %(bits)s, %(network)s::bytea)
