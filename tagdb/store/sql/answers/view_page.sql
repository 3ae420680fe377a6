-- A page of a view. Those that have a number or a time have it first, so this is the newest first.
SELECT * FROM {view} ORDER BY 1 DESC LIMIT %(limit)s OFFSET %(offset)s
