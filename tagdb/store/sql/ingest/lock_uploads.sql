-- One session begins the day's run of uploads; the others wait for that moment.
SELECT pg_advisory_xact_lock(hashtext('tagdb uploads'))
