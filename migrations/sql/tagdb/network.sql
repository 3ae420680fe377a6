-- The network of a backbone, for whoever embeds photos on another machine.
CREATE OR REPLACE FUNCTION tagdb.network(backbone_id integer)
RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT n.network FROM tagdb_store.networks n WHERE n.backbone_id = network.backbone_id;
END;
COMMENT ON FUNCTION tagdb.network IS
    'The LiteRT file of a backbone, some megabytes: pixels in 0 to 255, real [1, s, s, 3], to features, real [1, '
    '1280]. NULL if the backbone is unknown or bundled with tagdb, or its network was never stored.';
