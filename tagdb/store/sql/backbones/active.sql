-- The backbone that recommending searches, if the database has one.
SELECT b.backbone_id, b.name, b.input_size, decode(b.weights_sha256, 'hex') AS weights_sha256,
       b.bits, decode(b.network_sha256, 'hex') AS network_sha256
FROM tagdb.backbones b
WHERE b.active
