-- Whether the workers of a distributed database answer.
SELECT format('%s:%s', w.nodename, w.nodeport) AS worker, w.success AS answers
FROM pg_catalog.run_command_on_workers('SELECT 1') w
ORDER BY w.nodename, w.nodeport
