"""The foundation: the tables of tagdb 0.1.0."""

from tagdb.migrations import objects, sqlfiles

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "backbones",
    "networks",
    "ingest_runs",
    "ingest_errors",
    "sources",
    "images",
    "image_files",
    "image_sources",
    "embeddings",
    "projections",
    "projection_axes",
    "search_vectors",
    "index_checks",
    "hashtag_edits",
    "hashtags",
    "image_hashtags",
    "statistics",
    "counted_images",
    "changed_images",
    "hashtag_counts",
    "hashtag_collections",
    "hashtag_pairs",
    "hashtag_trend",
    "factor_runs",
    "image_factors",
    "hashtag_factors",
    "factor_maps",
    "factor_parts",
    "factor_defaults",
    "feedback",
    "tokens",
    "requests",
)
"""Tables, each after those it refers to."""
MARK = "'The revision of the schema, counted from tagdb 0.1.0 on.'"
"""Distinguishes this schema from those of development versions, which also had a 0001; see ``database``."""
UNATTACHED = r"""
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT c.relname FROM pg_catalog.pg_class c
        WHERE c.relnamespace = 'tagdb_store'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
          AND c.relname ~ '^(image_factors|hashtag_factors|search_vectors)_\d+$'
    LOOP
        EXECUTE format('DROP TABLE tagdb_store.%I', name);
    END LOOP;
END
$$
"""
"""Drops tables of running or interrupted computations, which are not partitions yet."""


def upgrade() -> None:
    """Create the tables."""
    sqlfiles.run(__file__, "schemas", *TABLES)
    sqlfiles.execute("REVOKE ALL ON ALL TABLES IN SCHEMA tagdb_store FROM PUBLIC")
    sqlfiles.execute(f"COMMENT ON TABLE tagdb_store.alembic_version IS {MARK}")


def downgrade() -> None:
    """Drop everything except the roles, which belong to the whole cluster and only lose their rights here."""
    sqlfiles.execute(*objects.drops(), UNATTACHED)
    sqlfiles.execute("DROP TABLE " + ", ".join(f"tagdb_store.{name}" for name in TABLES))
    sqlfiles.execute("DROP SCHEMA tagdb", "COMMENT ON TABLE tagdb_store.alembic_version IS NULL")
    sqlfiles.execute("REVOKE ALL ON tagdb_store.alembic_version FROM tagdb_writer")
    sqlfiles.execute("REVOKE ALL ON SCHEMA tagdb_store FROM tagdb_writer")
