-- The hashtags that feedback rejected for an image, given by the SHA-256 of its file: for a client that has
-- just computed an embedding and does not know whether the image is stored.
CREATE OR REPLACE FUNCTION tagdb.rejected_hashtags(content_sha256 bytea)
RETURNS SETOF text
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT h.hashtag
    FROM tagdb_store.verdicts v
    JOIN tagdb_store.hashtags h ON h.hashtag_id = v.hashtag_id
    -- looked up first: a join would compute the verdicts on all images
    WHERE v.image_id = (SELECT i.image_id FROM tagdb_store.images i
                        WHERE i.content_sha256 = rejected_hashtags.content_sha256)
      AND NOT v.accepted
    ORDER BY h.hashtag;
END;
COMMENT ON FUNCTION tagdb.rejected_hashtags IS
    'The hashtags that feedback rejected for an image, given by the SHA-256 of its file. No rows if the'
    ' image is not stored.';
