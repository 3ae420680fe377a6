-- Which backbones made the embeddings.
CREATE VIEW tagdb.backbones AS
SELECT b.backbone_id, b.name, b.input_size, b.weights_sha256, b.active, b.created_at
FROM tagdb_store.backbones b;
COMMENT ON VIEW tagdb.backbones IS 'The networks that made the embeddings. Recommendations search the active one.';
COMMENT ON COLUMN tagdb.backbones.input_size IS 'Side of the square that photos are brought to, in pixels.';
