-- Keeps the tables of the active run until the transaction ends, and with them that run from being pruned.
LOCK TABLE ONLY tagdb_store.hashtag_factors, ONLY tagdb_store.image_factors IN ACCESS SHARE MODE
