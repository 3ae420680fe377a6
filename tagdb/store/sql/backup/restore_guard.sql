-- Nobody's images are dropped unasked: what has come since it was looked at, too.
DO $$
BEGIN
    IF to_regclass('tagdb_store.images') IS NOT NULL THEN
        LOCK TABLE tagdb_store.images IN ACCESS EXCLUSIVE MODE;
        IF (SELECT c.relkind <> 'r' OR c.relrowsecurity
            FROM pg_class c WHERE c.oid = 'tagdb_store.images'::regclass) THEN
            RAISE EXCEPTION 'tagdb_store.images is none of tagdb''s tables';
        END IF;
        IF EXISTS (SELECT FROM tagdb_store.images) THEN
            RAISE EXCEPTION 'the database has got images meanwhile';
        END IF;
    END IF;
END
$$;
