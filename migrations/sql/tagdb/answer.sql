-- The answer to a request of the login that asks. jsonb holds numbers as they are written, so scores are the same to
-- the last digit.
CREATE OR REPLACE FUNCTION tagdb.answer(request bigint)
RETURNS TABLE (rank integer, hashtag text, score double precision)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT h.rank, h.hashtag, h.score
    FROM tagdb_store.own_request(request) o
    CROSS JOIN LATERAL jsonb_to_recordset(
        CASE WHEN o.state = 'refused' THEN tagdb_store.refuse(o.reason)::jsonb ELSE coalesce(o.hashtags, '[]') END)
        AS h (rank integer, hashtag text, score double precision)
    ORDER BY h.rank;
END;
COMMENT ON FUNCTION tagdb.answer IS
    'The hashtags for a photo that your login has submitted, best first. No rows while it waits, and if nothing can '
    'be recommended: tagdb.request_state tells which. An error says why a photo was refused. Answers are kept for an '
    'hour.';
