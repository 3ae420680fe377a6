-- Images by their numbers, in order, each with the hashtags that it carries, as it spells them.
SELECT i.image_id, i.content_sha256, i.uri, i.media_type, i.width, i.height, i.bytes AS byte_count, i.collection,
       i.source_ref, i.taken_at, i.metadata::text AS metadata,
       ARRAY(SELECT coalesce(ih.spelling, h.hashtag)
             FROM tagdb_store.image_hashtags ih
             JOIN tagdb_store.hashtags h ON h.hashtag_id = ih.hashtag_id
             WHERE ih.image_id = i.image_id
             ORDER BY ih.hashtag_id) AS hashtags,
       (SELECT f.kept_at FROM tagdb_store.image_files f WHERE f.image_id = i.image_id) AS kept_at
FROM tagdb_store.images i
WHERE i.image_id = ANY (%(image_ids)s)
ORDER BY i.image_id
