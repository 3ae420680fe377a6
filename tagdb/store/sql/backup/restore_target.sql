-- What is in the way of a restore, and what is missing: where pgvector is, if it is installed; what reads
-- tagdb's schemas from outside and would be dropped along; whether there is a table of images, in which
-- reading runs nobody's code, or something else of that name; whether there are the group roles; all roles.
WITH own AS (
    SELECT n.oid FROM pg_namespace n WHERE n.nspname IN ('tagdb', 'tagdb_store')
), members AS (
    SELECT 'pg_class'::regclass AS classid, c.oid FROM pg_class c WHERE c.relnamespace IN (SELECT oid FROM own)
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid FROM pg_proc p WHERE p.pronamespace IN (SELECT oid FROM own)
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid FROM pg_type t WHERE t.typnamespace IN (SELECT oid FROM own)
), dependent AS (
    -- a view depends by its rule, a default and a constraint by itself
    SELECT DISTINCT d.classid, d.objid, coalesce(w.ev_class, f.adrelid, k.conrelid, CASE WHEN d.classid = 'pg_class'::regclass THEN d.objid END) AS relation,
           CASE WHEN d.classid = 'pg_proc'::regclass THEN d.objid END AS function
    FROM pg_depend d
    JOIN members m ON m.classid = d.refclassid AND m.oid = d.refobjid
    LEFT JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
    LEFT JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
    LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
    WHERE d.deptype IN ('n', 'a')
)
SELECT (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'vector') AS vector_schema,
       ARRAY(SELECT c.oid::regclass::text FROM pg_class c
             WHERE c.oid IN (SELECT d.relation FROM dependent d)
               AND c.relnamespace NOT IN (SELECT oid FROM own) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
             UNION
             SELECT p.oid::regprocedure::text FROM pg_proc p
             WHERE p.oid IN (SELECT d.function FROM dependent d)
               AND p.pronamespace NOT IN (SELECT oid FROM own)
             ORDER BY 1) AS outside,
       (SELECT CASE WHEN c.relkind = 'r' AND NOT c.relrowsecurity THEN 'table' ELSE 'other' END
        FROM pg_class c WHERE c.oid = to_regclass('tagdb_store.images')) AS images,
       ARRAY(SELECT r.rolname::text FROM pg_roles r) AS roles
