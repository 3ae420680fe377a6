-- Rows that have lost what they refer to: foreign keys do not let that happen, unless somebody switches them off.
SELECT count(*) FROM {child} x
WHERE x.{column} IS NOT NULL AND NOT EXISTS (SELECT FROM {parent} o WHERE o.{key} = x.{column})
