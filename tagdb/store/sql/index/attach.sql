-- Makes a projection's table a partition, so that ingests add to it.
SELECT tagdb_store.attach_projection(%(projection_id)s)
