-- How hard searching tries, for 50 neighbours; `tagdb index check` measures what that finds, and sets it.
-- ef_search is how many images the vector index's walk keeps in sight (hnsw.ef_search; pgvector allows
-- up to 1000), candidates is how many of those it finds are ranked by their embeddings; more neighbours
-- take as many more candidates. More of either find more of the true neighbours, and take longer.
ALTER TABLE tagdb_store.backbones
    ADD COLUMN candidates integer NOT NULL DEFAULT 200
        CONSTRAINT backbones_candidates_positive CHECK (candidates > 0),
    ADD COLUMN ef_search integer NOT NULL DEFAULT 200
        CONSTRAINT backbones_ef_search_possible CHECK (ef_search BETWEEN 1 AND 1000);
