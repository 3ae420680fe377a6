-- Begins a factor run: its row, in status 'building', and two tables of its own that are not yet
-- partitions, so that filling them takes no lock that a reader could wait for.
CREATE FUNCTION tagdb_store.new_factor_run(
    factors integer, alpha double precision, regularization double precision, iterations integer,
    min_images integer, seed bigint, neighbours integer, similarity_exponent double precision,
    versions jsonb)
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    run integer;
    kind text;
BEGIN
    INSERT INTO tagdb_store.factor_runs AS r
        (factors, alpha, regularization, iterations, min_images, seed, neighbours,
         similarity_exponent, versions)
    VALUES (new_factor_run.factors, new_factor_run.alpha, new_factor_run.regularization,
            new_factor_run.iterations, new_factor_run.min_images, new_factor_run.seed,
            new_factor_run.neighbours, new_factor_run.similarity_exponent, new_factor_run.versions)
    RETURNING r.factor_run_id INTO run;
    FOREACH kind IN ARRAY ARRAY['image_factors', 'hashtag_factors'] LOOP
        EXECUTE format(
            'CREATE TABLE tagdb_store.%1$I (LIKE tagdb_store.%2$I INCLUDING STORAGE,'
            ' CONSTRAINT of_run CHECK (factor_run_id = %3$s))',
            kind || '_' || run, kind, run);
        EXECUTE format('GRANT SELECT, INSERT ON tagdb_store.%I TO tagdb_writer', kind || '_' || run);
    END LOOP;
    RETURN run;
END
$$;
