-- Builds the vector index of a projection that is not in use yet, with the caller's maintenance_work_mem
-- and parallel workers. For 20,000 images or more it is denser than pgvector's default (ef_construction 64): with
-- a million images, a search finds as much with half the effort, for twice the build time. An index over fewer
-- images is built at the end of an ingest that somebody waits for, and anew before it has grown fivefold. Later
-- images are added with pgvector's default, otherwise adding them would take most of an ingest's time.
CREATE OR REPLACE FUNCTION tagdb_store.index_projection(projection integer)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
    name text := 'search_vectors_' || projection;
    pgvector text := (SELECT n.nspname FROM pg_catalog.pg_extension e
                      JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector');
    images bigint;
BEGIN
    EXECUTE format('ALTER TABLE tagdb_store.%I ADD PRIMARY KEY (image_id, projection_id)', name);
    EXECUTE format('SELECT count(*) FROM tagdb_store.%I', name) INTO images;
    EXECUTE format('CREATE INDEX %I ON tagdb_store.%I USING hnsw (vector %I.halfvec_ip_ops)'
                   ' WITH (m = 16, ef_construction = %s)',
                   name || '_hnsw', name, pgvector, CASE WHEN images < 20000 THEN 64 ELSE 200 END);
    EXECUTE format('ALTER INDEX tagdb_store.%I SET (ef_construction = 64)', name || '_hnsw');
END
$$;
