-- Landing place of factors that are folded in. Rows are gone with the transaction.
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_image_factors
    (LIKE tagdb_store.image_factors INCLUDING DEFAULTS) ON COMMIT DELETE ROWS;
-- the norm, which may not be null, is made from the factors here as there
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_hashtag_factors
    (LIKE tagdb_store.hashtag_factors INCLUDING DEFAULTS INCLUDING GENERATED) ON COMMIT DELETE ROWS;
