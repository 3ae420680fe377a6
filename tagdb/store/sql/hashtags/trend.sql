SELECT t.starts_on, t.images FROM tagdb.hashtag_trend_monthly t
WHERE t.hashtag = %(hashtag)s
ORDER BY t.starts_on
