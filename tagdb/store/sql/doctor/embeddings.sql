-- How long the embeddings of a backbone are: all of them, or some pages at random. NaN is greater than any
-- number here. A half-precision number is off by up to a two-thousandth, the length by less.
SELECT count(*) AS looked_at,
       count(*) FILTER (WHERE NOT n.length BETWEEN 1e-6 AND 1e6) AS useless,
       count(*) FILTER (WHERE n.length BETWEEN 1e-6 AND 1e6 AND NOT n.length BETWEEN 0.99 AND 1.01) AS other
FROM tagdb_store.embeddings e TABLESAMPLE SYSTEM (%(percent)s),
     LATERAL (SELECT {vector}.l2_norm(e.embedding) AS length OFFSET 0) n
WHERE e.backbone_id = %(backbone_id)s
