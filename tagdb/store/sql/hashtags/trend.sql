SELECT t.starts_on, t.images FROM tagdb.hashtag_trend t
WHERE t.hashtag = %(hashtag)s AND t.period = 'month'
ORDER BY t.starts_on
