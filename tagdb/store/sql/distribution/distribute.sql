-- Spreads the tables with a vector for every image over the workers, by image: all that belongs to an image is on one
-- of them. Their parts, one for each backbone and factor run, are taken out and put back one by one: Citus forgets how
-- columns are stored of a part that it distributes with the whole, and embeddings would be read from TOAST.
DO $$
DECLARE
    part record;
BEGIN
    CREATE TEMPORARY TABLE parts ON COMMIT DROP AS
    SELECT i.inhrelid::regclass AS name, p.relname AS of, pg_get_expr(c.relpartbound, c.oid) AS bound
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    JOIN pg_class p ON p.oid = i.inhparent
    WHERE p.relnamespace = 'tagdb_store'::regnamespace AND p.relkind = 'p'
      AND p.relname IN ('embeddings', 'search_vectors', 'image_factors');
    FOR part IN SELECT x.name, x.of FROM pg_temp.parts x LOOP
        EXECUTE format('ALTER TABLE tagdb_store.%I DETACH PARTITION %s', part.of, part.name);
    END LOOP;
    PERFORM pg_catalog.create_distributed_table('tagdb_store.embeddings', 'image_id');
    PERFORM tagdb_store.spread('search_vectors'), tagdb_store.spread('image_factors');
    FOR part IN SELECT x.name, x.of, x.bound FROM pg_temp.parts x LOOP
        PERFORM tagdb_store.spread(c.relname) FROM pg_class c WHERE c.oid = part.name;
        EXECUTE format('ALTER TABLE tagdb_store.%I ATTACH PARTITION %s %s', part.of, part.name, part.bound);
    END LOOP;
END
$$
