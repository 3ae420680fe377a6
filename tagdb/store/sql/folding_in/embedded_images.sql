-- Which of some images the active backbone has embedded. Nobody can remove these until the transaction ends.
SELECT e.image_id
FROM tagdb_store.images i
JOIN tagdb_store.embeddings e ON e.image_id = i.image_id
WHERE e.backbone_id = (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active)
  AND e.image_id = ANY (%(image_ids)s)
ORDER BY i.content_sha256
FOR KEY SHARE OF i
