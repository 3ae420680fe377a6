-- Takes away factors of images that were folded in.
DELETE FROM tagdb_store.image_factors f
WHERE f.factor_run_id = %(factor_run_id)s AND f.image_id = ANY (%(image_ids)s) AND f.folded_in
