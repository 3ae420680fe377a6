-- For the planner, which knows nothing yet of what has just come in. A login that does not own the tables
-- gets a warning, and they are left to their owner.
ANALYZE tagdb_store.images, tagdb_store.image_hashtags, tagdb_store.hashtags
