-- The numbers of the images for which a condition holds.
SELECT images.image_id
FROM tagdb.images
WHERE (
{condition}
)
ORDER BY images.image_id
