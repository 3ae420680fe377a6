-- Backbones, and how many of the images each has embedded.
SELECT b.backbone_id, b.name, b.input_size, b.weights_sha256, b.bits, b.network_sha256, b.active,
       v.embeddings AS images, (SELECT count(*) FROM tagdb_store.images) AS of_images
FROM tagdb.backbones b
CROSS JOIN LATERAL tagdb_store.count_vectors(b.backbone_id, NULL) v
ORDER BY b.backbone_id
