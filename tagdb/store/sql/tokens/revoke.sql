DELETE FROM tagdb_store.tokens t WHERE t.name = %(name)s RETURNING t.name
