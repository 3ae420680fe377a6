-- Takes hashtags from an image, with all that count as the same ones, and returns those that it had.
CREATE OR REPLACE FUNCTION tagdb.untag_image(image_id bigint, hashtags text[])
RETURNS SETOF text
LANGUAGE plpgsql VOLATILE ROWS 10 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    tags text[];
BEGIN
    IF cardinality($2) > 10000 THEN -- folding them would take seconds, with the image locked
        PERFORM tagdb_store.refuse(cardinality($2) || ' hashtags are given; at most 10000 are allowed');
    END IF;
    PERFORM FROM tagdb_store.images i WHERE i.image_id = $1 FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM tagdb_store.refuse('there is no image ' || coalesce($1::text, 'NULL'));
    END IF;
    SELECT coalesce(array_agg(DISTINCT tagdb.fold_hashtag(g.hashtag)), '{}') INTO tags
    FROM unnest($2) AS g (hashtag) WHERE g.hashtag IS NOT NULL;
    RETURN QUERY
    WITH taken AS (
        DELETE FROM tagdb_store.image_hashtags ih
        USING tagdb_store.hashtags h
        WHERE ih.image_id = $1 AND h.hashtag_id = ih.hashtag_id
          AND coalesce(h.alias_of, h.hashtag_id) IN (
                SELECT coalesce(o.alias_of, o.hashtag_id) FROM tagdb_store.hashtags o WHERE o.hashtag = ANY (tags))
        RETURNING h.hashtag
    )
    SELECT t.hashtag FROM taken t ORDER BY t.hashtag;
END
$$;
COMMENT ON FUNCTION tagdb.untag_image IS
    'Takes hashtags from an image, and those that count as the same ones, and returns what it had of them. A later ingest of a source that still says them adds them again. It writes: only for the role tagdb_writer.';
