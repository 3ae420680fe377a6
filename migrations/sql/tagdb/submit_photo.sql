-- Puts a photo into the queue and returns the number of the request. Workers hear of it when the transaction ends.
CREATE OR REPLACE FUNCTION tagdb.submit_photo(
    photo bytea, hashtags text[] DEFAULT '{}', top integer DEFAULT 10, neighbours integer DEFAULT NULL,
    known text[] DEFAULT '{}', exclude text[] DEFAULT '{}', known_weight double precision DEFAULT NULL,
    diversity double precision DEFAULT NULL, popularity_discount double precision DEFAULT NULL,
    min_score double precision DEFAULT NULL, collection text DEFAULT NULL, store boolean DEFAULT false,
    name text DEFAULT NULL, store_collection text DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
SET extra_float_digits = 1 -- numbers go into JSON
AS $$
#variable_conflict use_column
DECLARE
    stores boolean := coalesce($12, false);
    arguments jsonb;
    described jsonb;
    waiting bigint;
    bytes bigint;
    request bigint;
BEGIN
    IF $1 IS NULL OR octet_length($1) = 0 THEN
        PERFORM tagdb_store.refuse('photo must be the bytes of a picture''s file');
    END IF;
    IF octet_length($1) > 67108864 THEN
        PERFORM tagdb_store.refuse('the photo has ' || ((octet_length($1) + 1048575) / 1048576)
                                   || ' MB; at most 64 MB are taken');
    END IF;
    IF stores AND NOT pg_has_role(session_user, 'tagdb_writer', 'USAGE') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'insufficient_privilege',
            MESSAGE = 'your login may not store photos; ask the database''s owner for the role tagdb_writer';
    END IF;
    IF NOT stores AND (cardinality($2) > 0 OR $13 IS NOT NULL OR $14 IS NOT NULL) THEN
        PERFORM tagdb_store.refuse('hashtags, name and store_collection are stored with a photo: pass store => true; '
                                   'to steer by hashtags, pass them as known');
    END IF;
    -- what the answer will check, as soon as there is somebody to tell
    PERFORM tagdb_store.at_least_one('top', $3), tagdb_store.at_least_one('neighbours', $4),
            tagdb_store.within('known_weight', $7, 0, 1), tagdb_store.within('diversity', $8, 0, 1),
            tagdb_store.within('popularity_discount', $9, 0, 1),
            tagdb_store.within('min_score', $10, '-Infinity', 'Infinity');
    IF coalesce(cardinality($2), 0) + coalesce(cardinality($5), 0) + coalesce(cardinality($6), 0) > 10000 THEN
        PERFORM tagdb_store.refuse('more than 10000 hashtags are given');
    END IF;
    arguments := jsonb_strip_nulls(jsonb_build_object(
        'top', $3, 'neighbours', $4, 'known', array_remove($5, NULL), 'exclude', array_remove($6, NULL),
        'known_weight', $7, 'diversity', $8, 'popularity_discount', $9,
        'min_score', nullif($10, '-Infinity'), 'collection', $11));
    IF stores THEN
        described := jsonb_strip_nulls(jsonb_build_object(
            'hashtags', coalesce(array_remove($2, NULL), '{}'), 'name', $13, 'collection', $14));
    END IF;
    IF octet_length(arguments::text) + coalesce(octet_length(described::text), 0) > 1048576 THEN
        PERFORM tagdb_store.refuse('the arguments besides the photo have more than 1 MB');
    END IF;
    SELECT count(*), coalesce(sum(r.byte_count), 0) INTO waiting, bytes
    FROM tagdb_store.requests r
    WHERE r.asked_by = session_user AND r.answered_at IS NULL;
    IF waiting >= 1000 OR bytes + octet_length($1) > 1073741824 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'configuration_limit_exceeded',
            MESSAGE = waiting || ' requests of your login wait, with ' || bytes / 1048576 || ' MB; at most 1000 with '
                      '1024 MB may: try again when some are answered';
    END IF;
    INSERT INTO tagdb_store.requests (photo, byte_count, arguments, store)
    VALUES ($1, octet_length($1), arguments, described)
    RETURNING request_id INTO request;
    PERFORM pg_notify('tagdb_requests', '');
    RETURN request;
END
$$;
COMMENT ON FUNCTION tagdb.submit_photo IS
    'Asks for hashtags for a photo, given its file''s bytes, at most 64 MB; returns the number of the request for '
    'tagdb.answer. A worker (tagdb work) must run. The other arguments are those of tagdb.recommend_for_embedding. '
    'store: also store the photo, with these hashtags, in the collection store_collection; only for the role '
    'tagdb_writer. name: the photo''s name, for people. A login may have 1000 requests waiting, with 1 GB. What is '
    'not answered is deleted after a day.';
