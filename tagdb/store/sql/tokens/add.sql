INSERT INTO tagdb_store.tokens (name, role, token_sha256)
VALUES (%(name)s, %(role)s, %(token_sha256)s)
ON CONFLICT DO NOTHING
RETURNING name
