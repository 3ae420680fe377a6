-- Notes what sources say of images. Arrays come as JSON, because unnest would take those of all images apart.
INSERT INTO tagdb_store.image_sources (image_id, source_id, said, hashtag_ids, fields)
SELECT n.image_id, n.source_id, n.said,
       ARRAY(SELECT h::integer FROM jsonb_array_elements_text(n.hashtag_ids::jsonb) h),
       ARRAY(SELECT f FROM jsonb_array_elements_text(n.fields::jsonb) f)
FROM unnest(%(image_ids)s::bigint[], %(source_ids)s::integer[], %(said)s::bigint[], %(hashtag_ids)s::text[],
            %(fields)s::text[]) AS n (image_id, source_id, said, hashtag_ids, fields)
ORDER BY n.image_id, n.source_id
ON CONFLICT (image_id, source_id) DO UPDATE
SET said = excluded.said, hashtag_ids = excluded.hashtag_ids, fields = excluded.fields
