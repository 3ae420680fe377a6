-- The planner's statistics, which a backup has not. A partitioned table stands for its partitions.
DO $$
DECLARE
    each_table pg_catalog.regclass;
BEGIN
    FOR each_table IN
        SELECT c.oid FROM pg_catalog.pg_class c
        WHERE c.relnamespace OPERATOR(pg_catalog.=) 'tagdb_store'::pg_catalog.regnamespace
          AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    LOOP
        EXECUTE pg_catalog.format('ANALYZE %s', each_table);
    END LOOP;
END
$$;
