-- Searches by a projection from now on.
SELECT tagdb_store.activate_projection(%(projection_id)s, %(seconds)s)
