-- A new table of embeddings, search vectors or image factors is distributed like the others: an image's rows are on one worker.
CREATE OR REPLACE FUNCTION tagdb_store.spread(name text)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path FROM CURRENT
SET jit = off
AS $$
BEGIN
    PERFORM pg_catalog.create_distributed_table(
        format('tagdb_store.%I', name), 'image_id', colocate_with => 'tagdb_store.embeddings');
END
$$;
