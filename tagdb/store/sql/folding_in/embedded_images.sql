-- Which of some images the active backbone has embedded.
SELECT e.image_id
FROM tagdb_store.embeddings e
WHERE e.backbone_id = (SELECT b.backbone_id FROM tagdb_store.backbones b WHERE b.active)
  AND e.image_id = ANY (%(image_ids)s)
