-- The place of each hashtag among all. One row per hashtag by GROUP BY, so that PostgreSQL knows it and leaves the join
-- out of a view where nobody asks for the rank.
CREATE OR REPLACE VIEW tagdb_store.hashtag_ranks AS
SELECT x.hashtag_id, min(x.rank) AS rank
FROM (SELECT c.hashtag_id, rank() OVER (ORDER BY c.images DESC) AS rank
      FROM tagdb_store.hashtag_counts c) x
GROUP BY x.hashtag_id;
