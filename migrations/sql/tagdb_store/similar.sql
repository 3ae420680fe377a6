-- The images nearest to an embedding by cosine distance, nearest first: from the vector index's candidates,
-- or of all without an index or if it gave too few.
CREATE OR REPLACE FUNCTION tagdb_store.similar(query halfvec, itself bigint, top integer)
RETURNS TABLE (rank integer, image_id bigint, uri text, similarity double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10 COST 10000
SET search_path = pg_catalog, pg_temp
SET jit = off
SET plan_cache_mode = force_generic_plan
BEGIN ATOMIC
    WITH settings AS MATERIALIZED (
        SELECT w.images, b.backbone_id, p.projection_id,
               ceil(b.candidates * greatest(w.images, 50) / 50.0)::integer AS candidates
        FROM (SELECT tagdb_store.at_least_one('top', coalesce(top, 10)) AS images) w
        LEFT JOIN tagdb_store.backbones b ON b.active
        LEFT JOIN tagdb_store.projections p ON p.backbone_id = b.backbone_id AND p.active
    ), nearest AS MATERIALIZED (
        SELECT c.image_id, c.distance
        FROM settings s
        CROSS JOIN LATERAL tagdb_store.candidates(
            s.projection_id, s.backbone_id, query, itself, NULL, NULL, s.candidates, NULL) c
        WHERE s.projection_id IS NOT NULL
        ORDER BY c.distance
        LIMIT (SELECT settings.images FROM settings)
    ), found AS MATERIALIZED (
        SELECT n.image_id, n.distance
        FROM nearest n
        WHERE (SELECT count(*) FROM nearest) >= (SELECT settings.images FROM settings)
        UNION ALL
        SELECT x.image_id, x.distance
        FROM settings s
        CROSS JOIN LATERAL tagdb_store.exact_neighbours(
            s.backbone_id, query, itself, NULL, NULL, s.images, NULL) x
        WHERE (SELECT count(*) FROM nearest) < s.images
    )
    SELECT (row_number() OVER (ORDER BY n.distance, n.image_id))::integer, n.image_id, i.uri, 1 - n.distance
    FROM found n
    CROSS JOIN LATERAL (SELECT x.uri FROM tagdb_store.images x WHERE x.image_id = n.image_id OFFSET 0) i
    ORDER BY 1;
END;
