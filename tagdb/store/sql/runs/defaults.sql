-- The settings that the last tuning has found, if there was one.
SELECT d.settings FROM tagdb_store.factor_defaults d
