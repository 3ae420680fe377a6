-- Returns those of some images that there are, for the transaction to remove them: nobody else does anything with them.
--
-- An ingest keeps its images from being removed until its batch is stored (FOR KEY SHARE). They are locked in its order,
-- so that neither waits for the other in a circle. A factor run or projection that is about to be used waits, or is
-- waited for, so that it is not left with rows of images that are gone: see attach_factor_run and attach_projection.
CREATE OR REPLACE FUNCTION tagdb_store.claim_images(image_ids bigint[])
RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('tagdb search vectors'));
    LOCK TABLE tagdb_store.factor_runs IN ROW EXCLUSIVE MODE;
    RETURN (SELECT coalesce(array_agg(i.image_id), '{}')
            FROM (SELECT x.image_id FROM tagdb_store.images x WHERE x.image_id = ANY (image_ids)
                  ORDER BY x.content_sha256 FOR UPDATE) i);
END
$$;
