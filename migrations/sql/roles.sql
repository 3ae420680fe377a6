-- Group roles without login. Roles belong to the whole cluster: another database's tagdb, or an administrator, may
-- have created them already, or be creating them now. Only what is missing is created.
DO $$
DECLARE
    wanted text;
    member text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['tagdb_asker', 'tagdb_reader', 'tagdb_analyst', 'tagdb_writer'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
    END LOOP;
    FOR member, wanted IN VALUES ('tagdb_reader', 'tagdb_asker'), ('tagdb_analyst', 'tagdb_reader'),
                                 ('tagdb_writer', 'tagdb_analyst') LOOP
        IF NOT pg_has_role(member, wanted, 'MEMBER') THEN
            BEGIN
                EXECUTE format('GRANT %I TO %I', wanted, member);
            EXCEPTION WHEN unique_violation THEN
                NULL; -- another database's tagdb was quicker
            END;
        END IF;
    END LOOP;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE EXCEPTION USING
        ERRCODE = 'insufficient_privilege',
        MESSAGE = SQLERRM,
        HINT = 'CREATE ROLE tagdb_asker NOLOGIN; CREATE ROLE tagdb_reader NOLOGIN; CREATE ROLE tagdb_analyst NOLOGIN; '
               'CREATE ROLE tagdb_writer NOLOGIN; GRANT tagdb_asker TO tagdb_reader; '
               'GRANT tagdb_reader TO tagdb_analyst; GRANT tagdb_analyst TO tagdb_writer';
END
$$;
