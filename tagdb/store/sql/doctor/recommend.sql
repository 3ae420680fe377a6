-- How long recommending for an image takes in the database, without the way there and back, and how many
-- pages it looks at that are in PostgreSQL's own cache and that are not.
EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON)
SELECT * FROM tagdb.recommend_for_image(%(image_id)s)
