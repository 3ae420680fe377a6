-- The same condition in other surroundings, only to be parsed: what would close the parenthesis of selected_where
-- is an error here, and what would end this CASE is one there.
SELECT CASE WHEN
{condition}
THEN 1 END
FROM tagdb.images
