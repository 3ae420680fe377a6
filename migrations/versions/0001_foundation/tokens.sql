-- Who may ask `tagdb serve`. A token is random and 256 bits long, so a plain hash of it cannot be turned back.
CREATE TABLE tagdb_store.tokens (
    name text CONSTRAINT tokens_pkey PRIMARY KEY
        CONSTRAINT tokens_name_length CHECK (char_length(name) BETWEEN 1 AND 100),
    role text NOT NULL CONSTRAINT tokens_role CHECK (role IN ('reader', 'analyst', 'writer')),
    token_sha256 bytea NOT NULL
        CONSTRAINT tokens_token_sha256_key UNIQUE
        CONSTRAINT tokens_token_sha256_size CHECK (octet_length(token_sha256) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL DEFAULT session_user,
    last_used_on date -- a day is enough to find those that nobody uses, and costs no write for each request
);
