-- Where photos came from: folders and lists, each by its location, whatever name it was given by. A photo that was
-- named alone came from its folder.
CREATE TABLE tagdb_store.sources (
    source_id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT sources_pkey PRIMARY KEY,
    location text NOT NULL -- a URI, or - for standard input
        CONSTRAINT sources_location_key UNIQUE
        CONSTRAINT sources_location_length CHECK (char_length(location) BETWEEN 1 AND 2000) -- fits into an index
);
