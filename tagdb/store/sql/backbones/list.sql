-- Backbones, and how many of the images each has embedded.
SELECT b.backbone_id, b.name, b.input_size, b.weights_sha256, b.bits, b.network_sha256, b.active,
       (SELECT count(*) FROM tagdb_store.embeddings e WHERE e.backbone_id = b.backbone_id) AS images,
       (SELECT count(*) FROM tagdb_store.images) AS of_images
FROM tagdb.backbones b
ORDER BY b.backbone_id
