-- Where the data lies, if this login may know that, how large this database is, and what threatens it: pages
-- that were found damaged, transaction numbers that run out, and an order of text that is not the one that
-- the indexes were built by.
SELECT (SELECT s.setting FROM pg_settings s WHERE s.name = 'data_directory') AS data_directory,
       (SELECT s.setting FROM pg_settings s WHERE s.name = 'unix_socket_directories') AS socket_directories,
       CASE WHEN has_database_privilege(d.oid, 'CONNECT') THEN pg_database_size(d.oid) END AS bytes,
       coalesce(s.checksum_failures, 0) AS checksum_failures,
       s.checksum_last_failure,
       age(d.datfrozenxid) AS age,
       mxid_age(d.datminmxid) AS multixact_age,
       d.datcollversion AS ordered_by,
       pg_database_collation_actual_version(d.oid) AS orders_by
FROM pg_database d
LEFT JOIN pg_stat_database s ON s.datid = d.oid
WHERE d.datname = current_database()
