-- Some images, at random, for which recommending is timed. Numbers may be missing between the first and
-- the last: then the next image is taken, and one that is taken twice is timed once. What is drawn is
-- materialized, or it would be drawn anew for each image that it is compared with.
WITH drawn AS MATERIALIZED (
    SELECT ends.low + floor((ends.high - ends.low + 1) * random())::bigint AS image_id
    FROM (SELECT min(i.image_id) AS low, max(i.image_id) AS high FROM tagdb.images i) ends,
         generate_series(1, %(images)s)
)
SELECT DISTINCT found.image_id
FROM drawn,
     LATERAL (
         SELECT i.image_id FROM tagdb.images i
         WHERE i.image_id >= drawn.image_id
         ORDER BY i.image_id
         LIMIT 1
     ) found
