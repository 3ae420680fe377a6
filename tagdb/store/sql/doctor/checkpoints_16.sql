-- The same as checkpoints.sql, for PostgreSQL 15 and 16.
SELECT c.checkpoints_timed AS timed, c.checkpoints_req AS requested, w.wal_bytes::bigint AS logged_bytes,
       c.stats_reset AS counted_since
FROM pg_stat_bgwriter c, pg_stat_wal w
