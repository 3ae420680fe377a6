-- A page of images, those stored last first.
SELECT i.image_id, i.content_sha256, i.uri, i.media_type, i.width, i.height, i.bytes, i.collection, i.source_ref,
       i.taken_at, i.ingested_at
FROM tagdb.images i
WHERE (%(image_ids)s::bigint[] IS NULL OR i.image_id = ANY (%(image_ids)s))
  AND (%(collection)s::text IS NULL OR i.collection = %(collection)s)
  AND (%(taken_from)s::timestamptz IS NULL OR coalesce(i.taken_at, i.ingested_at) >= %(taken_from)s)
  AND (%(taken_to)s::timestamptz IS NULL OR coalesce(i.taken_at, i.ingested_at) < %(taken_to)s)
  -- a look-up for each image until there are enough: for hashtags that many images have
  AND (%(hashtag)s::text IS NULL OR (SELECT true FROM tagdb.image_hashtags t
                                     WHERE t.image_id = i.image_id AND t.hashtag = %(hashtag)s LIMIT 1))
  AND (%(before_id)s::bigint IS NULL OR i.image_id < %(before_id)s)
ORDER BY i.image_id DESC
LIMIT %(limit)s
