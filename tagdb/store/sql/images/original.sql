-- Nothing that readers may call leads to originals: only writers read this table.
SELECT f.original FROM tagdb_store.image_files f WHERE f.image_id = %(image_id)s
