-- Builds the vector index of a projection that nobody searches yet. The caller's maintenance_work_mem and
-- parallel workers count. Denser than pgvector's own settings (ef_construction 64): a tenth more of the
-- neighbours are found with the same number of candidates, for 1.4 times the time.
CREATE FUNCTION tagdb_store.index_projection(projection integer)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name text := 'search_vectors_' || projection;
    pgvector text := (SELECT n.nspname FROM pg_catalog.pg_extension e
                      JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector');
BEGIN
    EXECUTE format('ALTER TABLE tagdb_store.%I ADD PRIMARY KEY (projection_id, image_id)', name);
    EXECUTE format('CREATE INDEX %I ON tagdb_store.%I USING hnsw (vector %I.halfvec_ip_ops)'
                   ' WITH (m = 16, ef_construction = 100)', name || '_hnsw', name, pgvector);
END
$$;
