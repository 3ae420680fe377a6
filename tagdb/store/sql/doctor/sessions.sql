-- Sessions that do nothing, but hold on to something: a transaction, or a lock that says that they are at
-- work on a factor run, a vector index or a backbone. How many others wait for each.
SELECT a.pid, a.usename::text AS login, coalesce(nullif(a.application_name, ''), 'a program') AS application,
       a.state LIKE 'idle in transaction%%' AS in_transaction,
       extract(epoch FROM clock_timestamp() - a.state_change)::double precision AS seconds,
       (SELECT count(*) FROM pg_stat_activity w
        WHERE w.wait_event_type = 'Lock' AND a.pid = ANY (pg_blocking_pids(w.pid))) AS waiting
FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.state LIKE 'idle%%'
  AND (a.state LIKE 'idle in transaction%%'
       OR EXISTS (SELECT FROM pg_locks l
                  WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.objsubid = 2
                    AND l.classid::bigint IN (hashtext('tagdb factor run')::bigint & 4294967295,
                                              hashtext('tagdb projection')::bigint & 4294967295,
                                              hashtext('tagdb backbone')::bigint & 4294967295)))
  AND clock_timestamp() - a.state_change > %(seconds)s * interval '1 second'
ORDER BY a.state_change
