-- Images of the batch of which a source says something else than before, and than what is stored; with `replace`, what
-- it says now is stored. Of several sources in one batch, the last. A field or a key of metadata that a source no longer
-- says is emptied if no other source says it. `counts`: without it, only the file lies elsewhere than the image of
-- another source.
WITH said AS (
    SELECT DISTINCT ON (n.content_sha256) n.content_sha256, n.uri, n.collection, n.source_ref, n.taken_at, n.metadata,
           n.source_id, n.said
    FROM pg_temp.incoming_images n
    WHERE n.first AND n.source_id IS NOT NULL
    ORDER BY n.content_sha256, n.ctid DESC
), wanted AS (
    SELECT i.image_id, n.source_id, n.uri,
           CASE WHEN 'collection' = ANY (u.fields) THEN n.collection
                ELSE coalesce(n.collection, i.collection) END AS collection,
           CASE WHEN 'source_ref' = ANY (u.fields) THEN n.source_ref
                ELSE coalesce(n.source_ref, i.source_ref) END AS source_ref,
           coalesce(n.taken_at, i.taken_at) AS taken_at, -- it may come from the photo
           (i.metadata - u.fields) || n.metadata AS metadata,
           b.said IS NOT NULL AS taken_over
    FROM said n
    JOIN tagdb_store.images i ON i.content_sha256 = n.content_sha256
    LEFT JOIN tagdb_store.image_sources b ON b.image_id = i.image_id AND b.source_id = n.source_id
    -- what it said before, no longer says, and no other source says
    CROSS JOIN LATERAL (
        SELECT ARRAY(
            SELECT f.name FROM unnest(b.fields) f (name)
            WHERE CASE f.name WHEN 'collection' THEN n.collection IS NULL
                              WHEN 'source_ref' THEN n.source_ref IS NULL
                              ELSE NOT n.metadata ? f.name END
              AND NOT EXISTS (SELECT FROM tagdb_store.image_sources o
                              WHERE o.image_id = i.image_id AND o.source_id <> n.source_id
                                AND f.name = ANY (o.fields))) AS fields
    ) u
    WHERE b.said IS DISTINCT FROM n.said
), differing AS (
    SELECT w.*,
           w.taken_over OR (i.collection, i.source_ref, i.taken_at, i.metadata)
                           IS DISTINCT FROM (w.collection, w.source_ref, w.taken_at, w.metadata) AS counts
    FROM wanted w
    JOIN tagdb_store.images i ON i.image_id = w.image_id
    WHERE (i.uri, i.collection, i.source_ref, i.taken_at, i.metadata)
          IS DISTINCT FROM (w.uri, w.collection, w.source_ref, w.taken_at, w.metadata)
), replaced AS (
    UPDATE tagdb_store.images i
    SET uri = d.uri, collection = d.collection, source_ref = d.source_ref, taken_at = d.taken_at,
        metadata = d.metadata
    FROM differing d
    WHERE i.image_id = d.image_id AND %(replace)s
)
SELECT d.image_id, d.source_id, d.counts FROM differing d
