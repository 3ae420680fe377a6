-- The backbones of the embeddings.
CREATE OR REPLACE VIEW tagdb.backbones AS
SELECT b.backbone_id, b.name, b.input_size, encode(b.weights_sha256, 'hex') AS weights_sha256, b.active, b.created_at,
       encode(n.sha256, 'hex') AS network_sha256, b.bits
FROM tagdb_store.backbones b
LEFT JOIN tagdb_store.networks n ON n.backbone_id = b.backbone_id;
COMMENT ON VIEW tagdb.backbones IS 'The networks that made the embeddings. Recommendations search the active one.';
COMMENT ON COLUMN tagdb.backbones.backbone_id IS 'Key: the backbone.';
COMMENT ON COLUMN tagdb.backbones.name IS 'Its name when it was added.';
COMMENT ON COLUMN tagdb.backbones.input_size IS 'Setting: side of the square to which photos are scaled, in pixels.';
COMMENT ON COLUMN tagdb.backbones.weights_sha256 IS
    'SHA-256 of its weights, in hexadecimal digits; of its network, if that computes in 8 bits or was given as a file. '
    'Together with the input size it identifies the backbone.';
COMMENT ON COLUMN tagdb.backbones.active IS 'Whether recommendations search its embeddings.';
COMMENT ON COLUMN tagdb.backbones.created_at IS 'When it first embedded a photo here.';
COMMENT ON COLUMN tagdb.backbones.network_sha256 IS
    'SHA-256 of its network, which tagdb.network() returns, in hexadecimal digits. NULL if the network is not stored, '
    'as that of the bundled backbone, which every installation has.';
COMMENT ON COLUMN tagdb.backbones.bits IS 'Setting: bits of the numbers that it computes with: 8 or 32.';
