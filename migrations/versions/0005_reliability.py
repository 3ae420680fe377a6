"""What makes it safe to try again, and statistics of a million images in minutes."""

from alembic import op
from tagdb.migrations import sqlfiles

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

REPLACED = (
    "FUNCTION tagdb_store.refresh_edited_statistics, tagdb_store.refresh_statistics",
    "FUNCTION tagdb_store.give_feedback",
    "FUNCTION tagdb_store.index_projection",
)
"""Functions that there were before and that are made anew, each before what it calls."""
CALLERS = ("refresh_edited_statistics.r01",)
"""What calls them, unchanged."""
FILES = (
    "ingest_runs_batches.r01",
    "refresh_statistics.r02",
    "give_feedback.r02",
    "index_projection.r02",
    *CALLERS,
    "factor_maps_backbone.r01",
    "activate_backbone.r01",
    "drop_backbone.r01",
    "base_grants.r01",
    "surface_grants.r01",
)
BEFORE = (
    "factor_maps_backbone_undone.r01",
    "refresh_statistics.r01",
    "give_feedback.r01",
    "index_projection.r01",
    *CALLERS,
    "surface_grants.r01",
)


def upgrade() -> None:
    """Make what is new."""
    sqlfiles.drop(*REPLACED)
    sqlfiles.run(*FILES)
    sqlfiles.replace("counting_as.r02")


def downgrade() -> None:
    """Do without."""
    sqlfiles.drop(*REPLACED, "FUNCTION tagdb_store.drop_backbone, tagdb_store.activate_backbone")
    op.get_bind().exec_driver_sql("ALTER TABLE tagdb_store.ingest_runs DROP COLUMN batches")
    sqlfiles.run(*BEFORE)
    sqlfiles.replace("counting_as.r01")
