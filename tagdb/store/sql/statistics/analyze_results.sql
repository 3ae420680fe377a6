ANALYZE tagdb_store.counted_images, tagdb_store.hashtag_counts, tagdb_store.hashtag_collections,
        tagdb_store.hashtag_pairs, tagdb_store.hashtag_trend
