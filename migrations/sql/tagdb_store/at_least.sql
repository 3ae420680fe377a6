-- How many times as many images there are as expected, at least, with 95 % certainty: the 5 % quantile, by Wilson and
-- Hilferty's approximation, of the gamma distribution that the ratio has given these and one image more on either side.
-- What is rare comes out low, however large its ratio. W. DuMouchel, Bayesian data mining in large frequency tables, The
-- American Statistician 53 (1999).
CREATE OR REPLACE FUNCTION tagdb_store.at_least(images bigint, expected double precision)
RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN (images + 1) * (1 - 1 / (9.0 * (images + 1)) - 1.645 / (3 * sqrt(images + 1.0))) ^ 3 / (expected + 1);
