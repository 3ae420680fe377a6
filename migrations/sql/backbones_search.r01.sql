-- How many images searching takes from the vector index, to rank them exactly, for 50 neighbours or
-- fewer; more neighbours take as many more. What hnsw.ef_search is to others. More find more of the
-- true neighbours, and take longer: `tagdb index check` measures it.
ALTER TABLE tagdb_store.backbones ADD COLUMN candidates integer NOT NULL DEFAULT 200
    CONSTRAINT backbones_candidates_positive CHECK (candidates > 0);
