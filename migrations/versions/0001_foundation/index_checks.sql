-- Measurements of the vector index's recall.
CREATE TABLE tagdb_store.index_checks (
    index_check_id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT index_checks_pkey PRIMARY KEY,
    projection_id integer NOT NULL,
    checked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    images bigint NOT NULL,
    queries integer NOT NULL,
    neighbours integer NOT NULL,
    candidates integer NOT NULL,
    ef_search integer NOT NULL,
    recall double precision NOT NULL CONSTRAINT index_checks_recall CHECK (recall BETWEEN 0 AND 1),
    milliseconds double precision NOT NULL
);
