-- Rows that have lost what they refer to: foreign keys do not let that happen, unless somebody switches them off.
SELECT count(*) FROM {child} x
WHERE x.{column} IN (SELECT c.{column} FROM {child} c EXCEPT SELECT o.{key} FROM {parent} o)
