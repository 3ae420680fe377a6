-- Images that would lose hashtags because a source no longer says them; with `update`, they lose them. A hashtag stays if
-- another source says it, if somebody gave it, and, as feedback's, if it was accepted.
WITH unsaid AS (
    SELECT u.image_id, u.source_id, u.hashtag_id
    FROM unnest(%(image_ids)s::bigint[], %(source_ids)s::integer[], %(hashtag_ids)s::integer[])
         AS u (image_id, source_id, hashtag_id)
), lost AS (
    SELECT DISTINCT ih.image_id, ih.hashtag_id,
           (SELECT f.accepted FROM tagdb_store.feedback f
            WHERE f.image_id = ih.image_id AND f.hashtag_id = ih.hashtag_id
            ORDER BY f.feedback_id DESC LIMIT 1) IS TRUE AS accepted
    FROM unsaid u
    JOIN tagdb_store.image_hashtags ih ON ih.image_id = u.image_id AND ih.hashtag_id = u.hashtag_id
    WHERE ih.source = 'ingest'
      AND NOT EXISTS (
            SELECT FROM tagdb_store.image_sources o
            WHERE o.image_id = u.image_id AND u.hashtag_id = ANY (o.hashtag_ids)
              AND NOT EXISTS (SELECT FROM unsaid v
                              WHERE v.image_id = o.image_id AND v.source_id = o.source_id
                                AND v.hashtag_id = u.hashtag_id))
), forgotten AS (
    UPDATE tagdb_store.image_sources s
    SET hashtag_ids = ARRAY(SELECT h FROM unnest(s.hashtag_ids) h WHERE h <> ALL (g.hashtag_ids))
    FROM (SELECT u.image_id, u.source_id, array_agg(u.hashtag_id) AS hashtag_ids
          FROM unsaid u GROUP BY u.image_id, u.source_id) g
    WHERE s.image_id = g.image_id AND s.source_id = g.source_id AND %(update)s
), kept AS (
    UPDATE tagdb_store.image_hashtags ih SET source = 'feedback'
    FROM lost l
    WHERE ih.image_id = l.image_id AND ih.hashtag_id = l.hashtag_id AND l.accepted AND %(update)s
), deleted AS (
    DELETE FROM tagdb_store.image_hashtags ih
    USING lost l
    WHERE ih.image_id = l.image_id AND ih.hashtag_id = l.hashtag_id AND NOT l.accepted AND %(update)s
)
SELECT DISTINCT l.image_id FROM lost l WHERE NOT l.accepted
