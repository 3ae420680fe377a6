-- What feedback has rejected for an image, by the SHA-256 of its file: for a client that asks about an
-- embedding it has just computed and does not know whether the image is stored.
CREATE OR REPLACE FUNCTION tagdb.rejected_hashtags(content_sha256 bytea)
RETURNS SETOF text
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT h.hashtag
    FROM tagdb_store.verdicts v
    JOIN tagdb_store.hashtags h ON h.hashtag_id = v.hashtag_id
    -- looked up first: with a join instead, the verdicts on all images would be formed
    WHERE v.image_id = (SELECT i.image_id FROM tagdb_store.images i
                        WHERE i.content_sha256 = rejected_hashtags.content_sha256)
      AND NOT v.accepted
    ORDER BY h.hashtag;
END;
COMMENT ON FUNCTION tagdb.rejected_hashtags IS
    'The hashtags that feedback has rejected for an image, by the SHA-256 of its file. No rows for an image that is not stored.';
