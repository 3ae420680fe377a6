SELECT t.name, t.role, t.created_at, t.created_by, t.last_used_on FROM tagdb_store.tokens t ORDER BY t.name
