-- Removes images with all that belongs to them, and returns how many there were. Factors, which have no foreign key, are
-- removed by hand, and what else there is before the images, set by set: the cascade looks image by image.
CREATE OR REPLACE FUNCTION tagdb.remove_images(image_ids bigint[])
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
    gone bigint[] := tagdb_store.claim_images($1);
    runs integer[] := ARRAY(SELECT r.factor_run_id FROM tagdb_store.factor_runs r);
BEGIN
    DELETE FROM tagdb_store.image_factors f WHERE f.factor_run_id = ANY (runs) AND f.image_id = ANY (gone);
    DELETE FROM tagdb_store.embeddings e WHERE e.image_id = ANY (gone);
    DELETE FROM tagdb_store.search_vectors v WHERE v.image_id = ANY (gone);
    DELETE FROM tagdb_store.image_files f WHERE f.image_id = ANY (gone);
    DELETE FROM tagdb_store.image_hashtags ih WHERE ih.image_id = ANY (gone);
    DELETE FROM tagdb_store.images i WHERE i.image_id = ANY (gone);
    RETURN cardinality(gone);
END
$$;
COMMENT ON FUNCTION tagdb.remove_images IS
    'Removes images with their hashtags, embeddings, factors, files and feedback, and returns how many there were. Numbers of images that are not there are skipped. What remains keeps its factors until they are computed again. It writes: only for the role tagdb_writer.';
