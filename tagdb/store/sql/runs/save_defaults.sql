-- One row holds what the last tuning has found.
INSERT INTO tagdb_store.factor_defaults (settings, metrics) VALUES (%(settings)s, %(metrics)s)
ON CONFLICT (one) DO UPDATE
SET settings = excluded.settings, metrics = excluded.metrics, tuned_at = clock_timestamp()
