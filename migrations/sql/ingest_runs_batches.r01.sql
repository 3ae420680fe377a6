-- How many batches of an ingest are stored. A program whose connection broke while it stored one learns
-- from it whether that went through: a batch adds one to the number that it knows, or has been stored.
ALTER TABLE tagdb_store.ingest_runs ADD COLUMN batches integer NOT NULL DEFAULT 0;
