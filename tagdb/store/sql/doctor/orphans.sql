-- Rows whose image or hashtag is gone: foreign keys do not let that happen, unless somebody switches them off.
SELECT found.called, found.missing, found.rows
FROM (
    SELECT 'image_hashtags', 'image', count(*) FROM tagdb_store.image_hashtags x
    WHERE NOT EXISTS (SELECT FROM tagdb_store.images i WHERE i.image_id = x.image_id)
    UNION ALL
    SELECT 'image_hashtags', 'hashtag', count(*) FROM tagdb_store.image_hashtags x
    WHERE NOT EXISTS (SELECT FROM tagdb_store.hashtags h WHERE h.hashtag_id = x.hashtag_id)
    UNION ALL
    SELECT 'embeddings', 'image', count(*) FROM tagdb_store.embeddings x
    WHERE NOT EXISTS (SELECT FROM tagdb_store.images i WHERE i.image_id = x.image_id)
    UNION ALL
    SELECT 'search_vectors', 'image', count(*) FROM tagdb_store.search_vectors x
    WHERE NOT EXISTS (SELECT FROM tagdb_store.images i WHERE i.image_id = x.image_id)
    UNION ALL
    SELECT 'image_files', 'image', count(*) FROM tagdb_store.image_files x
    WHERE NOT EXISTS (SELECT FROM tagdb_store.images i WHERE i.image_id = x.image_id)
    UNION ALL
    SELECT 'feedback', 'image', count(*) FROM tagdb_store.feedback x
    WHERE NOT EXISTS (SELECT FROM tagdb_store.images i WHERE i.image_id = x.image_id)
) found (called, missing, rows)
WHERE found.rows > 0
