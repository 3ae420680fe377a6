-- Where a hashtag stands among others by its factors, the least first: by dot product, by cosine, or by
-- dot product with a popularity discount. `share` is its images as a share of the most used hashtag's.
-- Without settings of its own it becomes part of the query that calls it.
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
