-- The LiteRT file of a backbone.
SELECT tagdb.network(%(backbone_id)s)
