-- A request of the login that asks; an error for all others.
CREATE OR REPLACE FUNCTION tagdb_store.own_request(request bigint)
RETURNS TABLE (state text, reason text, image_id bigint, hashtags jsonb)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT CASE WHEN r.answered_at IS NULL THEN 'waiting' WHEN r.refused IS NULL THEN 'answered' ELSE 'refused' END,
           r.refused, r.image_id, r.hashtags
    FROM tagdb_store.requests r
    WHERE r.request_id = $1 AND r.asked_by = session_user;
    IF NOT FOUND THEN
        PERFORM tagdb_store.refuse('your login has no request ' || coalesce($1::text, 'NULL')
                                   || '; answers are kept for an hour');
    END IF;
END
$$;
