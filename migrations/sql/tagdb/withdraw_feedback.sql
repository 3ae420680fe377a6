-- Takes back the last feedback on some hashtags of an image: the verdict before it counts again. An accepted hashtag
-- that the image carries by this feedback alone is taken from it, and one that the feedback had taken comes back if
-- it was accepted before.
CREATE OR REPLACE FUNCTION tagdb.withdraw_feedback(image_id bigint, hashtags text[])
RETURNS SETOF text
LANGUAGE plpgsql VOLATILE ROWS 5 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    withdrawn bigint[];
BEGIN
    IF cardinality($2) > 10000 THEN
        PERFORM tagdb_store.refuse(cardinality($2) || ' hashtags are given; at most 10000 are allowed');
    END IF;
    -- in the order of give_feedback: the image, then its hashtags
    PERFORM FROM tagdb_store.images i WHERE i.image_id = $1 FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM tagdb_store.refuse('there is no image ' || coalesce($1::text, 'NULL'));
    END IF;
    SELECT array_agg(last.feedback_id) INTO withdrawn
    FROM (SELECT DISTINCT ON (f.hashtag_id) f.feedback_id
          FROM tagdb_store.feedback f
          JOIN tagdb_store.hashtags h ON h.hashtag_id = f.hashtag_id
          WHERE f.image_id = $1
            AND h.hashtag IN (SELECT tagdb.fold_hashtag(g.hashtag) FROM unnest($2) AS g (hashtag))
          ORDER BY f.hashtag_id, f.feedback_id DESC) last;
    RETURN QUERY
    WITH gone AS (
        DELETE FROM tagdb_store.feedback f WHERE f.feedback_id = ANY (withdrawn) RETURNING f.hashtag_id, f.accepted
    ), before AS (
        SELECT DISTINCT ON (f.hashtag_id) f.hashtag_id, f.accepted
        FROM tagdb_store.feedback f
        WHERE f.image_id = $1 AND f.hashtag_id IN (SELECT g.hashtag_id FROM gone g)
          AND f.feedback_id <> ALL (withdrawn)
        ORDER BY f.hashtag_id, f.feedback_id DESC
    ), taken AS (
        DELETE FROM tagdb_store.image_hashtags ih
        USING gone g
        WHERE ih.image_id = $1 AND ih.hashtag_id = g.hashtag_id AND ih.source = 'feedback' AND g.accepted
          AND NOT EXISTS (SELECT FROM before b WHERE b.hashtag_id = g.hashtag_id AND b.accepted)
    ), given AS (
        INSERT INTO tagdb_store.image_hashtags (image_id, hashtag_id, source)
        SELECT $1, g.hashtag_id, 'feedback' FROM gone g
        JOIN before b ON b.hashtag_id = g.hashtag_id AND b.accepted
        WHERE NOT g.accepted
        ON CONFLICT (image_id, hashtag_id) DO NOTHING
    )
    SELECT h.hashtag FROM gone g JOIN tagdb_store.hashtags h ON h.hashtag_id = g.hashtag_id ORDER BY 1;
END
$$;
COMMENT ON FUNCTION tagdb.withdraw_feedback IS
    'Takes back the last feedback on some hashtags of an image, and returns those that there was any on. It writes: only for the role tagdb_writer.';
