-- Registers a projection, not searched yet, and makes its table of search vectors; its number.
SELECT tagdb_store.new_projection(%(backbone_id)s, %(learned_from)s, %(kept)s)
