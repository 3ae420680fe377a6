SELECT c.collection FROM tagdb.collection_stats c WHERE c.collection IS NOT NULL ORDER BY c.images DESC, 1
