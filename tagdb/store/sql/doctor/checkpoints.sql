-- How many checkpoints were made in their time, and how many were asked for before: because of
-- max_wal_size, or by somebody who made a database or a backup. Hence also how much was logged. From
-- PostgreSQL 17 on.
SELECT c.num_timed AS timed, c.num_requested AS requested, w.wal_bytes::bigint AS logged_bytes,
       c.stats_reset AS counted_since
FROM pg_stat_checkpointer c, pg_stat_wal w
