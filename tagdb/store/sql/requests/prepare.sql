-- For a worker's session: should its machine vanish, the server notices within half a minute. And it hears of requests.
SET tcp_keepalives_idle = 10;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 4;
LISTEN tagdb_requests
