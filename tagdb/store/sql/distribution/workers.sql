-- How many of the nodes may have parts of tables.
SELECT count(*) FROM pg_catalog.pg_dist_node n WHERE n.isactive AND n.shouldhaveshards AND n.noderole = 'primary'
