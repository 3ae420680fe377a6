-- Whether this session is now the worker of a number, which its lock says as long as it lives.
SELECT pg_try_advisory_lock(hashtext('tagdb worker'), %(worker)s)
