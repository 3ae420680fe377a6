-- Writers read statistics and edits; they change them through functions only.
GRANT SELECT
    ON tagdb_store.hashtag_edits, tagdb_store.statistics, tagdb_store.hashtag_counts,
       tagdb_store.hashtag_collections, tagdb_store.hashtag_pairs, tagdb_store.hashtag_trend,
       tagdb_store.counted_hashtags
    TO tagdb_writer;
