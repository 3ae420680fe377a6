-- Gives hashtags to an image, and returns those that it did not have. They stay, whatever its sources say later.
CREATE OR REPLACE FUNCTION tagdb.tag_image(image_id bigint, hashtags text[])
RETURNS SETOF text
LANGUAGE plpgsql VOLATILE ROWS 10 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    tags text[];
    spellings text[];
BEGIN
    IF cardinality($2) > 10000 THEN -- folding them would take seconds, with the image locked
        PERFORM tagdb_store.refuse(cardinality($2) || ' hashtags are given; at most 10000 are allowed');
    END IF;
    -- the image is locked before its hashtags, as in give_feedback
    PERFORM FROM tagdb_store.images i WHERE i.image_id = $1 FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM tagdb_store.refuse('there is no image ' || coalesce($1::text, 'NULL'));
    END IF;
    SELECT coalesce(array_agg(t.hashtag), '{}'), coalesce(array_agg(nullif(t.spelling, t.hashtag)), '{}')
    INTO tags, spellings
    FROM (
        SELECT DISTINCT ON (f.hashtag) f.hashtag, tagdb_store.spelled_hashtag(g.hashtag) AS spelling
        FROM unnest($2) WITH ORDINALITY AS g (hashtag, place)
        CROSS JOIN LATERAL tagdb.fold_hashtag(g.hashtag) f (hashtag)
        WHERE g.hashtag IS NOT NULL
        ORDER BY f.hashtag, g.place
    ) t;
    INSERT INTO tagdb_store.hashtags (hashtag, spelling)
    SELECT n.hashtag, n.spelling FROM unnest(tags, spellings) AS n (hashtag, spelling)
    WHERE NOT EXISTS (SELECT FROM tagdb_store.hashtags h WHERE h.hashtag = n.hashtag)
    ORDER BY n.hashtag
    ON CONFLICT (hashtag) DO NOTHING;
    UPDATE tagdb_store.image_hashtags ih SET source = 'tag'
    FROM tagdb_store.hashtags h
    WHERE ih.image_id = $1 AND ih.hashtag_id = h.hashtag_id AND h.hashtag = ANY (tags) AND ih.source <> 'tag';
    RETURN QUERY
    WITH given AS (
        INSERT INTO tagdb_store.image_hashtags AS ih (image_id, hashtag_id, source, spelling)
        SELECT $1, h.hashtag_id, 'tag', n.spelling
        FROM unnest(tags, spellings) AS n (hashtag, spelling)
        JOIN tagdb_store.hashtags h ON h.hashtag = n.hashtag
        ORDER BY h.hashtag_id
        ON CONFLICT (image_id, hashtag_id) DO NOTHING
        RETURNING ih.hashtag_id
    )
    SELECT h.hashtag FROM given g JOIN tagdb_store.hashtags h ON h.hashtag_id = g.hashtag_id ORDER BY h.hashtag;
END
$$;
COMMENT ON FUNCTION tagdb.tag_image IS
    'Gives hashtags to an image, spelt as they are given, and returns those that it did not have. They stay, whatever a source says later. It writes: only for the role tagdb_writer.';
