-- Submits a photo, waits, and gives the answer. It must commit, so that a worker sees the request: therefore it has no
-- settings of its own and the caller's rights; each transaction begins with a safe search path, which ends with it.
CREATE OR REPLACE PROCEDURE tagdb.recommend_photo(
    photo bytea, INOUT answer jsonb DEFAULT NULL, hashtags text[] DEFAULT '{}', top integer DEFAULT 10,
    neighbours integer DEFAULT NULL, known text[] DEFAULT '{}', exclude text[] DEFAULT '{}',
    known_weight double precision DEFAULT NULL, diversity double precision DEFAULT NULL,
    popularity_discount double precision DEFAULT NULL, min_score double precision DEFAULT NULL,
    collection text DEFAULT NULL, store boolean DEFAULT false, name text DEFAULT NULL,
    store_collection text DEFAULT NULL, seconds double precision DEFAULT 30)
LANGUAGE plpgsql
AS $$
#variable_conflict use_variable
DECLARE
    began timestamp with time zone;
    pause double precision := 0.002;
    request bigint;
    found record;
    within_transaction text;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    -- Within a transaction, as in DO, nothing can be committed. The message tells that from the other reason, the
    -- block that catches it.
    BEGIN
        EXECUTE 'DO ''BEGIN COMMIT; END''';
    EXCEPTION WHEN invalid_transaction_termination THEN
        within_transaction := SQLERRM;
    END;
    BEGIN
        COMMIT;
    EXCEPTION WHEN invalid_transaction_termination THEN
        IF SQLERRM = within_transaction THEN
            RAISE EXCEPTION USING
                ERRCODE = 'invalid_transaction_termination',
                MESSAGE = 'call tagdb.recommend_photo outside of a transaction, as it waits for another session';
        END IF;
    END;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    began := clock_timestamp();
    seconds := coalesce(seconds, 30);
    IF NOT seconds BETWEEN 0 AND 3600 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'seconds must be from 0 to 3600, not ' || seconds::text;
    END IF;
    IF tagdb.workers() = 0 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = 'no worker answers; start one: tagdb work';
    END IF;
    request := tagdb.submit_photo(
        photo, hashtags, top, neighbours, known, exclude, known_weight, diversity, popularity_discount, min_score,
        collection, store, name, store_collection);
    LOOP
        COMMIT; -- while it waits, it keeps nobody from cleaning up
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        SELECT s.state, s.reason, s.hashtags INTO found FROM tagdb.request_state(request) s;
        EXIT WHEN found.state <> 'waiting';
        IF extract(epoch FROM clock_timestamp() - began)::double precision > seconds THEN
            PERFORM tagdb.withdraw_photo(request);
            COMMIT;
            PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
            RAISE EXCEPTION USING
                ERRCODE = 'object_not_in_prerequisite_state',
                MESSAGE = CASE WHEN tagdb.workers() = 0 THEN 'no worker answers any more; start one: tagdb work'
                          ELSE 'no answer within ' || seconds || ' s, as the workers have too much to do; try again '
                               'later, or start more: tagdb work' END;
        END IF;
        COMMIT;
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        PERFORM pg_sleep(pause);
        pause := least(pause * 1.3, 0.02);
    END LOOP;
    IF found.state = 'refused' THEN
        RAISE EXCEPTION USING MESSAGE = found.reason, ERRCODE = 'invalid_parameter_value';
    END IF;
    answer := found.hashtags;
END
$$;
COMMENT ON PROCEDURE tagdb.recommend_photo IS
    'Submits a photo, waits for a worker (tagdb work), and returns the hashtags as a JSON array of objects with rank, '
    'hashtag and score. Call it outside of a transaction. The arguments are those of tagdb.submit_photo; seconds: how '
    'long to wait.';
