-- For conditions of users: views and functions of schema tagdb without its name. Nobody else can put anything there.
SET LOCAL search_path = pg_catalog, tagdb, pg_temp
