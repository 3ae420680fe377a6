-- About how much factors are computed from; of tables that were never analysed, no less than there may be.
SELECT (SELECT CASE WHEN c.reltuples >= 0 THEN c.reltuples ELSE pg_relation_size(c.oid) / 36 END
        FROM pg_class c WHERE c.oid = 'tagdb_store.image_hashtags'::regclass)::bigint AS interactions,
       (SELECT CASE WHEN c.reltuples >= 0 THEN c.reltuples ELSE pg_relation_size(c.oid) / 100 END
        FROM pg_class c WHERE c.oid = 'tagdb_store.images'::regclass)::bigint AS images,
       (SELECT CASE WHEN c.reltuples >= 0 THEN c.reltuples ELSE pg_relation_size(c.oid) / 40 END
        FROM pg_class c WHERE c.oid = 'tagdb_store.hashtags'::regclass)::bigint AS hashtags
