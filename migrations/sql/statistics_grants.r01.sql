-- Writers read statistics and edits; they change them through functions only, and what hashtags count
-- as, too: into hashtags they put new ones.
REVOKE INSERT, UPDATE, DELETE ON tagdb_store.hashtags FROM tagdb_writer;
GRANT INSERT (hashtag) ON tagdb_store.hashtags TO tagdb_writer;
GRANT SELECT
    ON tagdb_store.hashtag_edits, tagdb_store.statistics, tagdb_store.hashtag_counts,
       tagdb_store.hashtag_collections, tagdb_store.hashtag_pairs, tagdb_store.hashtag_trend,
       tagdb_store.counted_hashtags
    TO tagdb_writer;
