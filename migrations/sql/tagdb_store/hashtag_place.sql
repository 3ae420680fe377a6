-- Sort key of a hashtag by its factors, the smallest first: by dot product, by cosine, or by dot product
-- with a popularity discount. `share` is its number of images as a share of the most used hashtag's.
-- Without its own settings, the function is inlined into the calling query.
CREATE OR REPLACE FUNCTION tagdb_store.hashtag_place(
    factors halfvec, query halfvec, by_cosine boolean, popularity_discount double precision,
    share double precision)
RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN popularity_discount > 0 THEN (factors <#> query) / CASE
        WHEN factors <#> query < 0 THEN power(share, popularity_discount)
        ELSE 1 END
    WHEN by_cosine THEN nullif(factors <=> query, 'NaN') - 1
    ELSE factors <#> query
END;
