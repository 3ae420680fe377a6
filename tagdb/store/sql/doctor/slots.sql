-- Replication slots that nobody uses: the server keeps its log for them, however long.
SELECT s.slot_name::text AS name, pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint AS bytes
FROM pg_replication_slots s
WHERE NOT s.active AND s.restart_lsn IS NOT NULL AND NOT pg_is_in_recovery()
ORDER BY 2 DESC
