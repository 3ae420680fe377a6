-- The last of the next so many images, or NULL if there is none.
SELECT max(n.image_id)
FROM (SELECT i.image_id
      FROM tagdb_store.images i
      WHERE i.image_id > %(after)s
      ORDER BY i.image_id
      LIMIT %(images)s) n
