-- The coordinator reaches the workers as the role that a statement runs as: tagdb serve stores photos as this one. It has no
-- password, so that only who may come in without one, as the coordinator may, can be it.
ALTER ROLE tagdb_writer LOGIN
