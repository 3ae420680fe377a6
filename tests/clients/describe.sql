-- What somebody types who has just logged in.
\dn+ tagdb
\dv+ tagdb.*
\df+ tagdb.*
\d+ tagdb.hashtag_stats
\conninfo
