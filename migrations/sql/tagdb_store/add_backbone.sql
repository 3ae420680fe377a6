-- Registers a backbone and creates the partition for its embeddings. The first one of a database becomes
-- active. For a known backbone, returns it. Stores the network, unless it is NULL or there is one: everybody is to
-- embed with the same.
CREATE OR REPLACE FUNCTION tagdb_store.add_backbone(
    name text, input_size integer, weights_sha256 bytea, bits integer, network bytea
)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
    id integer;
    part text;
BEGIN
    LOCK TABLE tagdb_store.backbones IN SHARE ROW EXCLUSIVE MODE;
    SELECT b.backbone_id INTO id FROM tagdb_store.backbones b
    WHERE b.input_size = add_backbone.input_size AND b.weights_sha256 = add_backbone.weights_sha256;
    IF id IS NULL THEN
        INSERT INTO tagdb_store.backbones (name, input_size, weights_sha256, bits, active)
        SELECT add_backbone.name, add_backbone.input_size, add_backbone.weights_sha256, add_backbone.bits,
               NOT EXISTS (SELECT FROM tagdb_store.backbones b WHERE b.active)
        RETURNING backbone_id INTO id;
        part := 'embeddings_' || id;
        EXECUTE format('CREATE TABLE tagdb_store.%I (LIKE tagdb_store.embeddings INCLUDING STORAGE)', part);
        PERFORM tagdb_store.spread(part);
        -- A reader in a transaction would not see the new part until it ends, and find nothing once that is searched.
        LOCK TABLE ONLY tagdb_store.embeddings IN ACCESS EXCLUSIVE MODE;
        EXECUTE format(
            'ALTER TABLE tagdb_store.embeddings ATTACH PARTITION tagdb_store.%I FOR VALUES IN (%s)', part, id);
    END IF;
    INSERT INTO tagdb_store.networks (backbone_id, network, sha256)
    SELECT id, add_backbone.network, sha256(add_backbone.network)
    WHERE add_backbone.network IS NOT NULL
    ON CONFLICT ON CONSTRAINT networks_pkey DO NOTHING;
    RETURN id;
END
$$;
