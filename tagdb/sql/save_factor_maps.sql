INSERT INTO tagdb_store.factor_maps (factor_run_id, image_gram, weighting, ridge)
VALUES (%(factor_run_id)s, %(image_gram)s, %(weighting)s, %(ridge)s)
