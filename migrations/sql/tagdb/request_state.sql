-- What became of a request of the login that asks.
CREATE OR REPLACE FUNCTION tagdb.request_state(request bigint)
RETURNS TABLE (state text, reason text, image_id bigint, hashtags jsonb)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
BEGIN ATOMIC
    SELECT o.state, o.reason, o.image_id, o.hashtags FROM tagdb_store.own_request(request) o;
END;
COMMENT ON FUNCTION tagdb.request_state IS
    'Whether a request of your login is waiting, answered or refused; why it was refused; the image, if the photo '
    'was stored; and the answer as a JSON array of objects with rank, hashtag and score.';
