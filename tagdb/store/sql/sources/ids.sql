-- The numbers of sources.
SELECT s.location, s.source_id FROM tagdb_store.sources s WHERE s.location = ANY (%(locations)s)
