-- What the batch adds to images: fields that were empty are filled, keys of metadata that were
-- missing are added, nothing that was there is overwritten. NO KEY, so that others can go on hanging
-- hashtags on these images: waiting for that, they would hold what this batch waits for next.
WITH said AS (
    SELECT n.content_sha256,
           (array_agg(n.collection) FILTER (WHERE n.collection IS NOT NULL))[1] AS collection,
           (array_agg(n.source_ref) FILTER (WHERE n.source_ref IS NOT NULL))[1] AS source_ref,
           min(n.taken_at) AS taken_at
    FROM pg_temp.incoming_images n
    GROUP BY n.content_sha256
), said_more AS (
    SELECT n.content_sha256, jsonb_object_agg(pair.key, pair.value) AS metadata
    FROM pg_temp.incoming_images n, jsonb_each(n.metadata) pair
    GROUP BY n.content_sha256
), locked AS (
    SELECT i.image_id, s.collection, s.source_ref, s.taken_at, coalesce(m.metadata, '{}') AS metadata
    FROM tagdb_store.images i
    JOIN said s ON s.content_sha256 = i.content_sha256
    LEFT JOIN said_more m ON m.content_sha256 = i.content_sha256
    WHERE (i.collection IS NULL AND s.collection IS NOT NULL)
       OR (i.source_ref IS NULL AND s.source_ref IS NOT NULL)
       OR (i.taken_at IS NULL AND s.taken_at IS NOT NULL)
       OR m.metadata || i.metadata <> i.metadata
    ORDER BY i.content_sha256
    FOR NO KEY UPDATE OF i
)
UPDATE tagdb_store.images i
SET collection = coalesce(i.collection, l.collection),
    source_ref = coalesce(i.source_ref, l.source_ref),
    taken_at = coalesce(i.taken_at, l.taken_at),
    metadata = l.metadata || i.metadata
FROM locked l
WHERE i.image_id = l.image_id
RETURNING i.image_id
