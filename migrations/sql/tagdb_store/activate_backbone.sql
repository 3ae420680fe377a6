-- Activates a backbone, so that its embeddings are searched, unless images lack an embedding by it that
-- must not. `may_lack` lists those that may; NULL means any. Returns the number of images that lack one but
-- must not; the backbone is activated only if that is 0.
--
-- Waits for batches that are being stored; none can start until this ends (see attached_projections). So no
-- image without an embedding by this backbone can arrive in between. Readers see the old backbone until
-- this commits and the new one afterwards; its partition has existed long before.
CREATE OR REPLACE FUNCTION tagdb_store.activate_backbone(backbone integer, may_lack bigint[])
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
    lacking bigint := 0;
BEGIN
    LOCK TABLE tagdb_store.backbones IN SHARE ROW EXCLUSIVE MODE;
    IF NOT EXISTS (SELECT FROM tagdb_store.backbones b WHERE b.backbone_id = backbone) THEN
        PERFORM tagdb_store.refuse('there is no backbone ' || coalesce(backbone::text, 'NULL'));
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('tagdb search vectors'));
    IF may_lack IS NOT NULL THEN
        SELECT count(*) INTO lacking
        FROM (SELECT i.image_id FROM tagdb_store.images i
              EXCEPT SELECT e.image_id FROM tagdb_store.embeddings e WHERE e.backbone_id = backbone
              EXCEPT SELECT unnest(may_lack)) l;
    END IF;
    IF lacking = 0 THEN
        UPDATE tagdb_store.backbones b SET active = false WHERE b.active AND b.backbone_id <> backbone;
        UPDATE tagdb_store.backbones b SET active = true WHERE NOT b.active AND b.backbone_id = backbone;
    END IF;
    RETURN lacking;
END
$$;
