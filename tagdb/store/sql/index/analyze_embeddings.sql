ANALYZE {table} (backbone_id, image_id)
